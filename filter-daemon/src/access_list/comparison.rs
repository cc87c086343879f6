//! What a list that is offered as a whole has in common with the one there is.

use std::sync::Arc;

use ipnet::IpNet;

use super::entry::Entry;
use super::list::AccessList;
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
            let enabled = table.prefixes().get(&prefix).map(|value| value.entry);
            match enabled.or_else(|| self.list.disabled_number(Prefix::new(prefix.into()))) {
                Some(number) => self.kept.push(number),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_list::{Address, ListError};
    use crate::id::ObjectId;

    fn entries(from: u32, addresses: &[&str]) -> Vec<Arc<Entry>> {
        let entry = |(number, text): (u32, &&str)| {
            let address = Address::parse(text).expect(text);
            Arc::new(Entry {
                id: ObjectId::from_parts(7, number, [1; 4]),
                address,
                comment: Box::default(),
                enabled: true,
                expires: None,
                author: "root".into(),
                changed: 7,
            })
        };
        (from..).zip(addresses).map(entry).collect()
    }

    fn list(addresses: &[&str]) -> AccessList {
        let mut list = AccessList::default();
        list.extend(&entries(1, addresses)).expect("no two are the same");
        list
    }

    fn compare(list: &AccessList, offered: &[&str]) -> (Vec<bool>, Vec<Vec<u32>>) {
        let prefixes = offered.iter().map(|text| text.parse::<Prefix>().expect(text));
        let comparison = Comparison::new(list, prefixes);
        let run = |run: Vec<Arc<Entry>>| run.iter().map(|entry| entry.number()).collect();
        let runs = comparison.missing().into_iter().map(run).collect();
        (comparison.is_new().to_vec(), runs)
    }

    #[test]
    fn the_first_of_equal_prefixes_is_new_and_runs_end_at_what_is_kept() {
        let list = list(&["10.0.0.0/8", "::1", "192.0.2.1", "10.0.0.0/9", "::/0", "::2"]);
        let offered = ["::3", "::ffff:192.0.2.1", "10.0.0.0/10", "::3/128", "0.0.0.0/0"];
        let is_new = vec![true, false, true, false, true];
        assert_eq!(compare(&list, &offered), (is_new, vec![vec![1, 2], vec![4, 5, 6]]));
        assert_eq!(compare(&list, &["::2", "::/0"]), (vec![false; 2], vec![vec![1, 2, 3, 4]]));
        assert_eq!(compare(&list, &[]), (vec![], vec![vec![1, 2, 3, 4, 5, 6]]));
        assert_eq!(compare(&AccessList::default(), &["::1", "::1"]).0, [true, false]);
        assert!(compare(&AccessList::default(), &["::1"]).1.is_empty());
    }

    #[test]
    fn lists_made_at_once_and_bit_by_bit_are_the_same() {
        let addresses = ["10.0.0.0/8", "::1", "0.0.0.0/0", "10.0.0.0/9", "::", "9.0.0.0/8"];
        let whole = list(&addresses);
        let mut bits = AccessList::default();
        for entry in entries(1, &addresses) {
            bits.extend(&[entry]).expect("new");
        }
        assert_eq!(bits, whole);
        let (gone, kept) = (entries(1, &addresses[..3]), entries(4, &addresses[3..]));
        bits.remove(&gone);
        let mut rest = AccessList::default();
        rest.extend(&kept).expect("new");
        assert_eq!(bits, rest, "the digests too");
        bits.remove(&gone);
        assert_eq!(bits, rest, "what is not there is not taken off twice");
        bits.remove(&kept);
        assert_eq!(bits, AccessList::default());
    }

    #[test]
    fn a_duplicate_keeps_all_of_them_off() {
        let mut list = list(&["10.0.0.0/8", "::1"]);
        let before = list.clone();
        for (addresses, existing) in
            [(["::2", "::ffff:10.0.0.0/104"], 1), (["::2", "::2/128"], 10), (["::1", "::3"], 2)]
        {
            let error = list.extend(&entries(10, &addresses)).expect_err("a duplicate");
            let ListError::Duplicate { existing: found, .. } = error else { panic!("{error}") };
            assert_eq!((found.number(), &list), (existing, &before), "{addresses:?}");
        }
    }
}
