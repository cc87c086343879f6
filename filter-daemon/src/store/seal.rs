//! The seal: a sum over everything that the database holds, by which damage
//! is noticed that SQLite's own check cannot see.
//!
//! A sum of hashes, so that a change of one row costs that row alone. It is
//! no protection against somebody who may write the file.

use sha2::{Digest as _, Sha256};

use super::change::Row;
use super::keys::access_blob;
use crate::access_list::Entry;
use crate::app::{App, ProxyDocument, ProxySettings};
use crate::key::{Key, Session};
use crate::state::{Group, Settings};

/// Sum of the hashes of all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seal(u64);

impl Seal {
    /// As SQLite holds it.
    pub(super) fn to_sql(self) -> i64 {
        self.0.cast_signed()
    }

    #[cfg(test)]
    pub(super) fn from_sql(seal: i64) -> Self {
        Self(seal.cast_unsigned())
    }

    pub(super) fn add(&mut self, row: u64) {
        self.0 = self.0.wrapping_add(row);
    }

    pub(super) fn remove(&mut self, row: u64) {
        self.0 = self.0.wrapping_sub(row);
    }

    /// The seal after a change of rows.
    pub(super) fn after(mut self, rows: &[Row]) -> Self {
        for row in rows {
            match row {
                Row::App { old, new } => {
                    old.iter().for_each(|app| self.remove(of_app(app)));
                    new.iter().for_each(|app| self.add(of_app(app)));
                }
                Row::Added { app, entries } => {
                    entries.iter().for_each(|entry| self.add(of_entry(app.index, entry)));
                }
                Row::Removed { app, entries } => {
                    entries.iter().for_each(|entry| self.remove(of_entry(app.index, entry)));
                }
                Row::Replaced { app, old, new } => {
                    self.remove(of_entry(app.index, old));
                    self.add(of_entry(app.index, new));
                }
                Row::Key { old, new } => {
                    old.iter().for_each(|key| self.remove(of_key(key)));
                    new.iter().for_each(|key| self.add(of_key(key)));
                }
                Row::Session { old, new } => {
                    old.iter().for_each(|session| self.remove(of_session(session)));
                    new.iter().for_each(|session| self.add(of_session(session)));
                }
            }
        }
        self
    }

    /// The seal with the host's row, which every change rewrites.
    pub(super) fn with(mut self, row: u64) -> Self {
        self.add(row);
        self
    }
}

/// Scopes as one column holds them.
pub(super) fn scopes_text(app: &App) -> String {
    joined(app.scopes.iter())
}

/// Trusted hops as one column holds them.
pub(super) fn trusted_hops_text(app: &App) -> String {
    joined(app.trusted_hops.iter())
}

/// An app's proxy settings as one column holds them.
pub(super) fn proxy_text(proxy: &ProxySettings) -> String {
    let document = ProxyDocument::from(proxy);
    serde_json::to_string(&document).expect("a structure of texts and numbers is always JSON")
}

/// Origins as one column holds them.
pub(super) fn origins_text(app: &App) -> String {
    joined(app.origins.iter())
}

/// One a line: scopes, prefixes and origins hold no line end.
fn joined<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join("\n")
}

pub(super) fn of_host(revision: u64, next_number: u32, settings: Settings) -> u64 {
    hash(
        b'h',
        &[
            &revision.to_be_bytes(),
            &next_number.to_be_bytes(),
            &[u8::from(settings.dhcp), u8::from(settings.non_ip)],
        ],
    )
}

pub(super) fn of_group(group: &Group) -> u64 {
    hash(b'g', &[group.id.to_string().as_bytes(), group.name.as_bytes()])
}

pub(super) fn of_app(app: &App) -> u64 {
    hash(
        b'a',
        &[
            &app.index.to_be_bytes(),
            app.id.to_string().as_bytes(),
            app.group.to_string().as_bytes(),
            app.client_app_id.as_bytes(),
            app.name.as_bytes(),
            app.mode.name().as_bytes(),
            scopes_text(app).as_bytes(),
            trusted_hops_text(app).as_bytes(),
            origins_text(app).as_bytes(),
            &[u8::from(app.require_origin)],
            &app.list.version.to_be_bytes(),
            proxy_text(&app.proxy).as_bytes(),
            &app.last_modified.to_be_bytes(),
        ],
    )
}

pub(super) fn of_entry(app_index: u32, entry: &Entry) -> u64 {
    hash(
        b'e',
        &[
            &entry.number().to_be_bytes(),
            &app_index.to_be_bytes(),
            entry.id.encode(&mut [0; 24]).as_bytes(),
            entry.address.text().as_bytes(),
            entry.comment.as_bytes(),
            &[u8::from(entry.enabled), u8::from(entry.expires.is_some())],
            &entry.expires.unwrap_or_default().to_be_bytes(),
            entry.author.as_bytes(),
            &entry.changed.to_be_bytes(),
        ],
    )
}

/// Of a key with its access list.
pub(super) fn of_key(key: &Key) -> u64 {
    let created = key.created.to_be_bytes();
    let secret = key.secret.to_bytes();
    let enabled = [u8::from(key.enabled)];
    let mut columns: Vec<&[u8]> = vec![
        key.public.as_bytes(),
        &secret,
        key.description.as_bytes(),
        &enabled,
        &created,
        key.created_by.as_bytes(),
    ];
    let sources: Vec<_> = key.sources.iter().map(|s| (s, s.created.to_be_bytes())).collect();
    let ids: Vec<_> = key.sources.iter().map(|source| source.id.to_bytes()).collect();
    let id = key.id.to_bytes();
    columns.push(&id);
    for ((source, created), id) in sources.iter().zip(&ids) {
        columns.push(id);
        columns.push(source.address.text().as_bytes());
        columns.push(source.comment.as_bytes());
        columns.push(created);
    }
    hash(b'k', &columns)
}

pub(super) fn of_session(session: &Session) -> u64 {
    hash(
        b's',
        &[
            &session.id.to_bytes(),
            &session.key.to_bytes(),
            &session.refresh.to_bytes(),
            &session.issued.to_be_bytes(),
            &session.expires.to_be_bytes(),
            session.from.as_bytes(),
            &access_blob(session),
        ],
    )
}

/// Of a version's way back. It stands with the version, and is no part of the
/// sum.
pub(super) fn of_undo(app_index: u32, version: u64, undo: &[u8]) -> u64 {
    hash(b'u', &[&app_index.to_be_bytes(), &version.to_be_bytes(), undo])
}

fn hash(table: u8, columns: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    hash.update([table]);
    for column in columns {
        // The length in front keeps "a", "bc" apart from "ab", "c".
        hash.update((column.len() as u64).to_be_bytes());
        hash.update(column);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(first)
}
