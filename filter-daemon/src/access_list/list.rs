//! An app's ordered entries.

use std::sync::Arc;

use filter_common::trie::TrieValue;
use imbl::OrdMap;

use super::prefix::{Address, Prefix};
use super::prefix_set::PrefixSet;
use crate::id::ObjectId;

/// One line that an operator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id on the wire.
    pub id: ObjectId,
    /// Its stable number: the order of creation, and what the kernel counts by.
    pub number: u32,
    /// The address as typed, with its prefix.
    pub address: Address,
    /// Free text, possibly empty.
    pub comment: String,
}

/// Entries in the order of their creation, and the prefixes they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    entries: OrdMap<u32, Arc<Entry>>,
    numbers: OrdMap<ObjectId, u32>,
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

impl AccessList {
    /// The entries, oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Arc<Entry>> {
        self.entries.values()
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
        self.entries.get(self.numbers.get(&id)?)
    }

    /// The entry that stands for a prefix.
    pub fn entry_of_prefix(&self, prefix: Prefix) -> Option<&Arc<Entry>> {
        self.entries.get(&self.prefixes.get(prefix)?.entry)
    }

    /// Adds an entry whose number and id are new.
    pub fn insert(&mut self, entry: Entry) -> Result<Arc<Entry>, ListError> {
        self.refuse_duplicate(&entry)?;
        let entry = Arc::new(entry);
        self.put(Arc::clone(&entry));
        Ok(entry)
    }

    /// Puts an entry in the place of the one with the same id.
    pub fn replace(&mut self, entry: Entry) -> Result<Arc<Entry>, ListError> {
        self.refuse_duplicate(&entry)?;
        self.remove(entry.id)?;
        let entry = Arc::new(entry);
        self.put(Arc::clone(&entry));
        Ok(entry)
    }

    /// Takes an entry off the list.
    pub fn remove(&mut self, id: ObjectId) -> Result<Arc<Entry>, ListError> {
        let number = self.numbers.remove(&id).ok_or(ListError::UnknownEntry(id))?;
        let entry = self.entries.remove(&number).ok_or(ListError::UnknownEntry(id))?;
        self.prefixes.remove(entry.address.prefix());
        Ok(entry)
    }

    fn refuse_duplicate(&self, entry: &Entry) -> Result<(), ListError> {
        match self.entry_of_prefix(entry.address.prefix()) {
            Some(existing) if existing.id != entry.id => Err(ListError::Duplicate {
                address: entry.address.text().to_owned(),
                existing: Arc::clone(existing),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn put(&mut self, entry: Arc<Entry>) {
        self.numbers.insert(entry.id, entry.number);
        self.prefixes
            .insert(entry.address.prefix(), TrieValue { entry: entry.number, expires_boot_s: 0 });
        self.entries.insert(entry.number, entry);
    }
}
