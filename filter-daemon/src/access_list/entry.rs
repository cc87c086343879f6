//! One line of an access list.

use std::sync::Arc;

use super::prefix::Address;
use crate::id::ObjectId;

/// One line that an operator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id on the wire, which holds its number and when it was made.
    pub id: ObjectId,
    /// The address as typed, with its prefix.
    pub address: Address,
    /// Free text, possibly empty.
    pub comment: Box<str>,
    /// Whether it admits anybody.
    pub enabled: bool,
    /// Unix second from which on it admits nobody; never, if none.
    pub expires: Option<i64>,
    /// Who wrote it last.
    pub author: Arc<str>,
    /// Unix second of its last change.
    pub changed: i64,
}

/// What may be said of an entry beside its address; what is `None` is left as
/// it is, or as a new entry has it: no comment, enabled, without an end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFields {
    /// Free text, possibly empty.
    pub comment: Option<String>,
    /// Whether it admits anybody.
    pub enabled: Option<bool>,
    /// Unix second from which on it admits nobody, or never.
    pub expires: Option<Option<i64>>,
}

impl Entry {
    /// Its stable number: the order of creation, and what the kernel counts by.
    pub fn number(&self) -> u32 {
        self.id.number()
    }

    /// Whether its time is over.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl EntryFields {
    /// Puts what is said into an entry.
    pub fn apply(self, entry: &mut Entry) {
        if let Some(comment) = self.comment {
            entry.comment = comment.into();
        }
        entry.enabled = self.enabled.unwrap_or(entry.enabled);
        entry.expires = self.expires.unwrap_or(entry.expires);
    }

    /// Whether an entry is already as it is said to be.
    pub fn agree_with(&self, entry: &Entry) -> bool {
        self.comment.as_deref().is_none_or(|comment| comment == &*entry.comment)
            && self.enabled.is_none_or(|enabled| enabled == entry.enabled)
            && self.expires.is_none_or(|expires| expires == entry.expires)
    }
}
