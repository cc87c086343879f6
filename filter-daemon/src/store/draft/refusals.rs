//! What is refused whatever else a command asks for.

use super::super::error::StoreError;
use super::super::{LONGEST_COMMENT_BYTES, LONGEST_NAME_BYTES};
use super::Draft;
use crate::access_list::{Entry, EntryFields};
use crate::id::ObjectId;

impl Draft<'_> {
    pub(super) fn refuse_unknown_group(&self, group: ObjectId) -> Result<(), StoreError> {
        let known = self.circumstances.before.groups.contains_key(&group);
        if known { Ok(()) } else { Err(StoreError::GroupNotFound(group)) }
    }

    pub(super) fn refuse_bad_name(&self, group: ObjectId, name: &str) -> Result<(), StoreError> {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts_well || !name.chars().all(letters) || name.len() > LONGEST_NAME_BYTES {
            return Err(StoreError::InvalidName(name.to_owned()));
        }
        let mut apps = self.circumstances.before.apps.values();
        match apps.find(|app| app.group == group && app.name == name) {
            None => Ok(()),
            Some(app) => Err(StoreError::AppAlreadyExists {
                name: name.to_owned(),
                client_app_id: app.client_app_id.clone(),
            }),
        }
    }

    pub(super) fn refuse_too_many_entries(&self, count: usize) -> Result<(), StoreError> {
        let limit = self.circumstances.limits.entries;
        if count <= limit {
            return Ok(());
        }
        Err(StoreError::LimitExceeded {
            what: "entries",
            count,
            limit,
            remedy: "take entries off, join addresses to a CIDR, or raise limits.entries in filterd.toml",
        })
    }

    /// Refuses fields that no entry may have, or that make no sense now.
    pub(super) fn refuse_bad_fields(
        &self,
        entry: &Entry,
        said: &EntryFields,
    ) -> Result<(), StoreError> {
        let now = self.circumstances.fresh.now;
        refuse_long_comment(&entry.comment)?;
        if said.expires.is_some() && entry.has_expired(now) {
            let address = entry.address.text().to_owned();
            return Err(StoreError::ExpiresInPast { address });
        }
        Ok(())
    }
}

/// Refuses a text for people that is no remark any more.
pub(super) fn refuse_long_comment(comment: &str) -> Result<(), StoreError> {
    match comment.len() {
        length if length > LONGEST_COMMENT_BYTES => Err(StoreError::CommentTooLong(length)),
        _ => Ok(()),
    }
}
