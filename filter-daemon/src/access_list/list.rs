//! An app's ordered entries.
//!
//! One entry costs what it costs, however long the list; many at a time cost
//! far less each than one by one.

use std::sync::Arc;

use filter_common::trie::TrieValue;
use imbl::OrdMap;

use super::entry::Entry;
use super::prefix::Prefix;
use super::prefix_set::PrefixSet;
use super::sorted::Sorted;
use crate::id::ObjectId;

/// Entries in the order of their creation, and the prefixes they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    /// Counts the changes of the list; the first is 1.
    pub version: u64,
    entries: OrdMap<u32, Arc<Entry>>,
    /// Of enabled entries, none of them with an end.
    prefixes: PrefixSet,
    /// Of entries that are not enabled.
    disabled: OrdMap<Prefix, u32>,
    /// Numbers of enabled entries that have an end.
    temporary: OrdMap<u32, i64>,
}

/// Why a list does not take a change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Another entry stands for the same prefix.
    #[error("{address} is already on the list: entry {} ({}) stands for {}", .existing.id, .existing.address.text(), .existing.address.prefix())]
    Duplicate {
        /// The address that was refused.
        address: String,
        /// The entry that is in the way.
        existing: Arc<Entry>,
    },
    /// No entry has the id.
    #[error("allowed IP not found: 'ObjectID(\"{0}\")'")]
    UnknownEntry(ObjectId),
}

impl AccessList {
    /// The list of a new app.
    pub fn first() -> Self {
        Self { version: 1, ..Self::default() }
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    /// The entries from a number on, oldest first.
    pub fn entries_from(&self, number: u32) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.range(number..).map(|(_, entry)| entry)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the enabled entries stand for, whenever they end.
    pub fn prefixes(&self) -> &PrefixSet {
        &self.prefixes
    }

    /// Numbers of enabled entries that have an end, and the Unix second of it.
    pub fn temporary(&self) -> impl Iterator<Item = (u32, i64)> {
        self.temporary.iter().map(|(number, expires)| (*number, *expires))
    }

    /// The entry of an id.
    pub fn entry(&self, id: ObjectId) -> Option<&Arc<Entry>> {
        self.entries.get(&id.number()).filter(|entry| entry.id == id)
    }

    /// The entry of a number.
    pub fn entry_of_number(&self, number: u32) -> Option<&Arc<Entry>> {
        self.entries.get(&number)
    }

    /// The entry that stands for a prefix, enabled or not.
    pub fn entry_of_prefix(&self, prefix: Prefix) -> Option<&Arc<Entry>> {
        let enabled = self.prefixes.get(prefix).map(|value| value.entry);
        let number = enabled.or_else(|| self.disabled_number(prefix))?;
        self.entries.get(&number)
    }

    /// The list with nothing on it but the entry that stands for a prefix.
    pub fn only(&self, prefix: Prefix) -> Self {
        let mut only = Self { version: self.version, ..Self::default() };
        let found = self.entry_of_prefix(prefix).map(std::slice::from_ref);
        only.extend(found.unwrap_or_default()).expect("one entry is no duplicate");
        only
    }

    /// The number of the disabled entry that stands for a prefix.
    pub(super) fn disabled_number(&self, prefix: Prefix) -> Option<u32> {
        self.disabled.get(&prefix).copied()
    }

    /// Adds entries whose numbers and ids are new: all of them or none.
    pub fn extend(&mut self, entries: &[Arc<Entry>]) -> Result<(), ListError> {
        let mut list = self.clone();
        for entry in entries {
            list.entries.insert(entry.number(), Arc::clone(entry));
        }
        let enabled = entries.iter().filter(|entry| entry.enabled);
        let prefixes = enabled.map(|entry| (entry.address.prefix(), entry.number()));
        list.prefixes
            .extend(Sorted::new(prefixes))
            .map_err(|[existing, new]| duplicate(&list.entries[&new], &list.entries[&existing]))?;
        for entry in entries {
            list.note(entry)?;
        }
        *self = list;
        Ok(())
    }

    /// Puts an entry in the place of the one with the same id.
    pub fn replace(&mut self, entry: &Arc<Entry>) -> Result<(), ListError> {
        let old = self.entry(entry.id).cloned().ok_or(ListError::UnknownEntry(entry.id))?;
        match self.entry_of_prefix(entry.address.prefix()) {
            Some(existing) if existing.id != entry.id => return Err(duplicate(entry, existing)),
            Some(_) | None => {}
        }
        self.remove(std::slice::from_ref(&old));
        self.extend(std::slice::from_ref(entry))
    }

    /// Takes entries off, those that are on the list.
    pub fn remove(&mut self, entries: &[Arc<Entry>]) {
        if entries.len() > self.len() / 2 {
            return self.keep_others(entries);
        }
        for entry in entries {
            let number = entry.number();
            if self.entries.remove(&number).is_none() {
                continue;
            }
            self.temporary.remove(&number);
            if self.disabled.remove(&entry.address.prefix()).is_none() {
                self.prefixes.remove(entry.address.prefix());
            }
        }
    }

    /// The same, for when few entries stay: what stays is put together anew.
    fn keep_others(&mut self, gone: &[Arc<Entry>]) {
        let mut gone: Vec<u32> = gone.iter().map(|entry| entry.number()).collect();
        gone.sort_unstable();
        let stays = |entry: &&Arc<Entry>| gone.binary_search(&entry.number()).is_err();
        let kept: Vec<Arc<Entry>> = self.entries().filter(stays).cloned().collect();
        *self = Self { version: self.version, ..Self::default() };
        self.extend(&kept).expect("entries that were on a list stand for different prefixes");
    }

    /// Notes what is special about an entry that is new, if anything is.
    fn note(&mut self, entry: &Arc<Entry>) -> Result<(), ListError> {
        let prefix = entry.address.prefix();
        if let Some(existing) = self.disabled.get(&prefix) {
            return Err(duplicate(entry, &self.entries[existing]));
        }
        if !entry.enabled {
            if let Some(TrieValue { entry: existing, .. }) = self.prefixes.get(prefix) {
                return Err(duplicate(entry, &self.entries[&existing]));
            }
            self.disabled.insert(prefix, entry.number());
        } else if let Some(expires) = entry.expires {
            self.temporary.insert(entry.number(), expires);
        }
        Ok(())
    }
}

fn duplicate(entry: &Entry, existing: &Arc<Entry>) -> ListError {
    let address = entry.address.text().to_owned();
    ListError::Duplicate { address, existing: Arc::clone(existing) }
}

#[cfg(test)]
mod tests {
    use super::super::listing;
    use super::*;

    /// Enabled and not, with an end and without.
    fn list() -> AccessList {
        listing::list(&[
            ("10.1.0.0/16", true, None),
            ("10.2.0.0/16", true, Some(9)),
            ("10.3.0.0/16", false, None),
            ("10.4.0.0/16", false, Some(9)),
            ("2001:db8::/32", true, None),
            ("2001:db8::1", true, Some(9)),
            ("2001:db8::2", false, None),
            ("2001:db8::3", true, None),
        ])
    }

    proptest::proptest! {
        #[test]
        fn many_go_as_one_by_one(gone in proptest::bits::u8::ANY) {
            let (mut at_once, mut one_by_one) = (list(), list());
            let is_gone = |entry: &&Arc<Entry>| gone >> (entry.number() - 1) & 1 == 1;
            let gone: Vec<_> = list().entries().filter(is_gone).cloned().collect();
            at_once.remove(&gone);
            gone.chunks(1).for_each(|entry| one_by_one.remove(entry));
            proptest::prop_assert_eq!(at_once, one_by_one);
        }
    }
}
