//! What a list that is offered as a whole has in common with the one there is.

use std::sync::Arc;

use ipnet::IpNet;

use super::list::{AccessList, Entry};
use super::prefix::Prefix;
use super::prefix_set::PrefixTable;
use super::sorted::Sorted;

/// A list, and prefixes that are offered to it.
#[derive(Debug)]
pub struct Comparison<'a> {
    list: &'a AccessList,
    is_new: Vec<bool>,
    /// Numbers of entries that stand for an offered prefix, rising.
    kept: Vec<u32>,
}

impl<'a> Comparison<'a> {
    /// Compares; of equal prefixes the first one counts.
    pub fn new(list: &'a AccessList, offered: impl IntoIterator<Item = Prefix>) -> Self {
        let sorted = Sorted::new(offered.into_iter().zip(0..));
        let count = sorted.v4.len() + sorted.v6.len();
        let mut comparison = Self { list, is_new: vec![false; count], kept: Vec::new() };
        comparison.compare(list.prefixes().v4(), sorted.v4);
        comparison.compare(list.prefixes().v6(), sorted.v6);
        comparison.kept.sort_unstable();
        comparison
    }

    fn compare<N: Ord + Copy + Into<IpNet>>(
        &mut self,
        table: &PrefixTable<N>,
        mut sorted: Vec<(N, u32)>,
    ) {
        sorted.dedup_by_key(|(prefix, _)| *prefix);
        for (prefix, position) in sorted {
            match table.prefixes().get(&prefix) {
                Some(value) => self.kept.push(value.entry),
                None => self.is_new[position as usize] = true,
            }
        }
    }

    /// Of each that was offered, in its order: whether it is on the list
    /// neither by an entry nor by an earlier one that was offered.
    pub fn is_new(&self) -> &[bool] {
        &self.is_new
    }

    /// The entries that stand for nothing that was offered, oldest first: in
    /// runs, with no other entry of the list in between.
    pub fn missing(&self) -> Vec<Vec<Arc<Entry>>> {
        let mut runs = Vec::new();
        let mut run = Vec::new();
        let mut kept = self.kept.iter().peekable();
        for entry in self.list.entries() {
            if kept.next_if_eq(&&entry.number()).is_none() {
                run.push(Arc::clone(entry));
            } else if !run.is_empty() {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs.extend((!run.is_empty()).then_some(run));
        runs
    }
}
