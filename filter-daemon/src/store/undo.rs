//! What takes a version of a list back to the one before it, as a blob.
//!
//! Holds what the next version no longer tells: the numbers of entries that
//! were new, in runs, and the entries that were taken off. So a version costs
//! what it changed, and an import of a million new entries a few bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::change::Versioned;
use crate::access_list::{AccessList, Address, Entry};
use crate::id::ObjectId;

/// The way back of one version.
#[derive(Serialize, Deserialize)]
pub(super) struct Undo<'a> {
    /// First and last numbers of entries that were new or changed.
    new: Vec<(u32, u32)>,
    /// Entries that were taken off or changed, as they were.
    #[serde(borrow)]
    old: Vec<Kept<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    id: [u8; 12],
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    comment: Cow<'a, str>,
    enabled: bool,
    expires: Option<i64>,
    #[serde(borrow)]
    author: Cow<'a, str>,
    changed: i64,
}

impl<'a> Undo<'a> {
    /// The way back from a new version.
    pub(super) fn of(versioned: &'a Versioned) -> Self {
        let old = versioned.before().into_iter().map(|entry| Kept::from(entry.as_ref()));
        Self { new: runs(&versioned.after()), old: old.collect() }
    }

    /// As the database holds it.
    pub(super) fn to_blob(&self) -> Vec<u8> {
        let plain = postcard::to_stdvec(self).expect("numbers and texts always have a form");
        lz4_flex::compress_prepend_size(&plain)
    }

    /// Reads a blob, and takes a list back by it; says what is wrong with it if
    /// it does not fit.
    pub(super) fn take_back(blob: &[u8], list: &mut AccessList) -> Result<(), String> {
        let plain = lz4_flex::decompress_size_prepended(blob).map_err(|error| error.to_string())?;
        let undo: Undo<'_> = postcard::from_bytes(&plain).map_err(|error| error.to_string())?;
        let mut new = Vec::new();
        for (first, last) in undo.new {
            let run = list.entries_from(first).take_while(|entry| entry.number() <= last);
            new.extend(run.cloned());
        }
        list.remove(&new);
        let mut authors = Authors::default();
        let old = undo.old.into_iter().map(|kept| kept.entry(&mut authors).map(Arc::new));
        let old: Vec<_> = old.collect::<Result<_, _>>()?;
        list.extend(&old).map_err(|error| error.to_string())
    }
}

impl<'a> From<&'a Entry> for Kept<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            id: entry.id.to_bytes(),
            address: entry.address.text().into(),
            comment: (*entry.comment).into(),
            enabled: entry.enabled,
            expires: entry.expires,
            author: (*entry.author).into(),
            changed: entry.changed,
        }
    }
}

impl Kept<'_> {
    fn entry(self, authors: &mut Authors) -> Result<Entry, String> {
        Ok(Entry {
            id: ObjectId::from_bytes(self.id),
            address: Address::parse(&self.address).map_err(|error| error.to_string())?,
            comment: self.comment.into(),
            enabled: self.enabled,
            expires: self.expires,
            author: authors.share(&self.author),
            changed: self.changed,
        })
    }
}

/// A million entries have few authors: each name is in memory once.
#[derive(Default)]
pub(super) struct Authors(BTreeMap<Box<str>, Arc<str>>);

impl Authors {
    /// The one copy of a name.
    pub(super) fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(shared) = self.0.get(name) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = name.into();
        self.0.insert(name.into(), Arc::clone(&shared));
        shared
    }
}

/// Rising numbers as runs of neighbours.
fn runs(numbers: &[u32]) -> Vec<(u32, u32)> {
    let neighbours = numbers.chunk_by(|one, next| one + 1 == *next);
    neighbours.filter_map(|run| Some((*run.first()?, *run.last()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_run() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[3, 4, 5, 9, 11, 12]), [(3, 5), (9, 9), (11, 12)]);
    }

    #[test]
    fn a_blob_that_is_none_is_told() {
        let mut list = AccessList::default();
        Undo::take_back(b"", &mut list).expect_err("nothing");
        Undo::take_back(&lz4_flex::compress_prepend_size(b"\xff\xff"), &mut list)
            .expect_err("no undo");
        assert_eq!(list, AccessList::default());
    }
}
