//! Rows into the database.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::change::Row;
use super::error::StoreError;
use super::keys::{record_key, record_session};
use super::seal::{self, Seal};
use crate::access_list::Entry;
use crate::app::App;
use crate::state::State;

/// Writes rows within the transaction that is open on the connection.
pub(super) fn record(connection: &Connection, rows: &[Row]) -> Result<(), rusqlite::Error> {
    rows.iter().try_for_each(|row| match row {
        Row::App { old, new } => record_app(connection, old.as_deref(), new.as_deref()),
        Row::Added { app, entries } => add(connection, app.index, entries),
        Row::Removed { app, entries } => remove(connection, app.index, entries),
        Row::Replaced { new, .. } => replace(connection, new),
        Row::Key { old, new } => record_key(connection, old.as_deref(), new.as_deref()),
        Row::Session { old, new } => record_session(connection, old.as_deref(), new.as_deref()),
    })
}

/// Writes the host's row; every change does.
pub(super) fn record_host(
    connection: &Connection,
    after: &State,
    next_number: u32,
    seal: Seal,
) -> Result<(), StoreError> {
    let State { revision, settings, .. } = *after;
    let sealed = seal.with(seal::of_host(revision, next_number, settings));
    let text = "UPDATE host SET revision = ?1, next_number = ?2, dhcp = ?3, non_ip = ?4, seal = ?5
                WHERE revision = ?1 - 1";
    let hosts = connection.prepare_cached(text)?.execute(params![
        revision.cast_signed(),
        next_number,
        settings.dhcp,
        settings.non_ip,
        sealed.to_sql(),
    ])?;
    if hosts == 1 { Ok(()) } else { Err(StoreError::Diverged) }
}

fn record_app(
    connection: &Connection,
    old: Option<&App>,
    new: Option<&App>,
) -> Result<(), rusqlite::Error> {
    let Some(app) = new else {
        let gone = old.map(|app| app.index);
        connection.prepare_cached("DELETE FROM apps WHERE place = ?1")?.execute([gone])?;
        connection.prepare_cached("DELETE FROM versions WHERE app = ?1")?.execute([gone])?;
        return Ok(());
    };
    let text = if old.is_none() {
        "INSERT INTO apps (place, id, group_id, client_app_id, name, mode, scopes, trusted_hops,
         last_modified, origins, require_origin, list_version, proxy)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    } else {
        "UPDATE apps SET id = ?2, group_id = ?3, client_app_id = ?4, name = ?5, mode = ?6,
         scopes = ?7, trusted_hops = ?8, last_modified = ?9, origins = ?10, require_origin = ?11,
         list_version = ?12, proxy = ?13 WHERE place = ?1"
    };
    connection.prepare_cached(text)?.execute(params![
        app.index,
        app.id.to_string(),
        app.group.to_string(),
        app.client_app_id,
        app.name,
        app.mode.name(),
        seal::scopes_text(app),
        seal::trusted_hops_text(app),
        app.last_modified,
        seal::origins_text(app),
        app.require_origin,
        app.list.version.cast_signed(),
        seal::proxy_text(&app.proxy),
    ])?;
    Ok(())
}

fn add(
    connection: &Connection,
    app_index: u32,
    entries: &[Arc<Entry>],
) -> Result<(), rusqlite::Error> {
    let text =
        "INSERT INTO entries (number, app, id, address, comment, enabled, expires, author, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut statement = connection.prepare_cached(text)?;
    for entry in entries {
        statement.execute(params![
            entry.number(),
            app_index,
            entry.id.encode(&mut [0; 24]),
            entry.address.text(),
            entry.comment,
            entry.enabled,
            entry.expires,
            entry.author,
            entry.changed,
        ])?;
    }
    Ok(())
}

/// A run of entries costs one pass over their pages.
fn remove(
    connection: &Connection,
    app_index: u32,
    entries: &[Arc<Entry>],
) -> Result<(), rusqlite::Error> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
    let text = "DELETE FROM entries WHERE number BETWEEN ?1 AND ?2 AND app = ?3";
    let range = params![first.number(), last.number(), app_index];
    connection.prepare_cached(text)?.execute(range)?;
    Ok(())
}

fn replace(connection: &Connection, entry: &Entry) -> Result<(), rusqlite::Error> {
    let text = "UPDATE entries SET address = ?2, comment = ?3, enabled = ?4, expires = ?5,
                author = ?6, changed = ?7 WHERE number = ?1";
    connection.prepare_cached(text)?.execute(params![
        entry.number(),
        entry.address.text(),
        entry.comment,
        entry.enabled,
        entry.expires,
        entry.author,
        entry.changed,
    ])?;
    Ok(())
}
