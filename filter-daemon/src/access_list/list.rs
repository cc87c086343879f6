//! An app's ordered entries.
//!
//! One entry costs what it costs, however long the list; many at a time cost
//! far less each than one by one.

use std::sync::Arc;

use filter_common::trie::TrieValue;
use imbl::OrdMap;

use super::prefix::{Address, Prefix};
use super::prefix_set::PrefixSet;
use super::sorted::Sorted;
use crate::id::ObjectId;

/// One line that an operator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id on the wire, which holds its number.
    pub id: ObjectId,
    /// The address as typed, with its prefix.
    pub address: Address,
    /// Free text, possibly empty.
    pub comment: Box<str>,
}

/// Entries in the order of their creation, and the prefixes they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    entries: OrdMap<u32, Arc<Entry>>,
    prefixes: PrefixSet,
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

impl Entry {
    /// Its stable number: the order of creation, and what the kernel counts by.
    pub fn number(&self) -> u32 {
        self.id.number()
    }
}

impl AccessList {
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

    /// Whether nobody is admitted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the entries stand for.
    pub fn prefixes(&self) -> &PrefixSet {
        &self.prefixes
    }

    /// The entry of an id.
    pub fn entry(&self, id: ObjectId) -> Option<&Arc<Entry>> {
        self.entries.get(&id.number()).filter(|entry| entry.id == id)
    }

    /// Whether an entry has a number.
    pub fn has_number(&self, number: u32) -> bool {
        self.entries.contains_key(&number)
    }

    /// The entry that stands for a prefix.
    pub fn entry_of_prefix(&self, prefix: Prefix) -> Option<&Arc<Entry>> {
        self.entries.get(&self.prefixes.get(prefix)?.entry)
    }

    /// Adds entries whose numbers and ids are new: all of them or none.
    pub fn extend(&mut self, entries: &[Arc<Entry>]) -> Result<(), ListError> {
        let mut list = self.clone();
        for entry in entries {
            list.entries.insert(entry.number(), Arc::clone(entry));
        }
        let prefixes = entries.iter().map(|entry| (entry.address.prefix(), entry.number()));
        list.prefixes
            .extend(Sorted::new(prefixes))
            .map_err(|[existing, new]| duplicate(&list.entries[&new], &list.entries[&existing]))?;
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
        self.prefixes.remove(old.address.prefix());
        self.prefixes.insert(entry.address.prefix(), points_to(entry));
        self.entries.insert(entry.number(), Arc::clone(entry));
        Ok(())
    }

    /// Takes entries off, those that are on the list.
    pub fn remove(&mut self, entries: &[Arc<Entry>]) {
        if entries.len() == self.len() && entries.iter().eq(self.entries()) {
            *self = Self::default();
        }
        for entry in entries {
            if self.entries.remove(&entry.number()).is_some() {
                self.prefixes.remove(entry.address.prefix());
            }
        }
    }
}

fn points_to(entry: &Entry) -> TrieValue {
    TrieValue { entry: entry.number(), expires_boot_s: 0 }
}

fn duplicate(entry: &Entry, existing: &Arc<Entry>) -> ListError {
    let address = entry.address.text().to_owned();
    ListError::Duplicate { address, existing: Arc::clone(existing) }
}
