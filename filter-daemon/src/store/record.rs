//! Rows into the database, and their part of the seal.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::change::Row;
use super::seal::{self, Seal};
use crate::access_list::Entry;
use crate::app::App;

/// Writes a row within the transaction that is open on the connection.
pub(super) fn record(
    connection: &Connection,
    row: &Row,
    seal: &mut Seal,
) -> Result<(), rusqlite::Error> {
    match row {
        Row::App { old, new } => {
            old.iter().for_each(|app| seal.remove(seal::of_app(app)));
            new.iter().for_each(|app| seal.add(seal::of_app(app)));
            record_app(connection, old.as_deref(), new.as_deref())
        }
        Row::Entry { app_index, old, new } => {
            old.iter().for_each(|entry| seal.remove(seal::of_entry(*app_index, entry)));
            new.iter().for_each(|entry| seal.add(seal::of_entry(*app_index, entry)));
            record_entry(connection, *app_index, old.as_ref(), new.as_ref())
        }
    }
}

fn record_app(
    connection: &Connection,
    old: Option<&App>,
    new: Option<&App>,
) -> Result<(), rusqlite::Error> {
    let Some(app) = new else {
        let gone = old.map(|app| app.index);
        connection.prepare_cached("DELETE FROM apps WHERE place = ?1")?.execute([gone])?;
        return Ok(());
    };
    let text = if old.is_none() {
        "INSERT INTO apps (place, id, group_id, client_app_id, name, mode, scopes, trusted_hops, last_modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    } else {
        "UPDATE apps SET id = ?2, group_id = ?3, client_app_id = ?4, name = ?5, mode = ?6,
         scopes = ?7, trusted_hops = ?8, last_modified = ?9 WHERE place = ?1"
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
    ])?;
    Ok(())
}

fn record_entry(
    connection: &Connection,
    app_index: u32,
    old: Option<&Arc<Entry>>,
    new: Option<&Arc<Entry>>,
) -> Result<(), rusqlite::Error> {
    let Some(entry) = new else {
        let gone = old.map(|entry| entry.number);
        connection.prepare_cached("DELETE FROM entries WHERE number = ?1")?.execute([gone])?;
        return Ok(());
    };
    let text = if old.is_none() {
        "INSERT INTO entries (number, app, id, address, comment) VALUES (?1, ?2, ?3, ?4, ?5)"
    } else {
        "UPDATE entries SET app = ?2, id = ?3, address = ?4, comment = ?5 WHERE number = ?1"
    };
    connection.prepare_cached(text)?.execute(params![
        entry.number,
        app_index,
        entry.id.to_string(),
        entry.address.text(),
        entry.comment,
    ])?;
    Ok(())
}
