//! How often keys and the entries of their lists were used: written now and
//! then, beside the state. It counts what happened, and decides nothing.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::super::load::{LoadError, parsed};
use crate::id::ObjectId;
use crate::key::Key;
use crate::key_use::Use;

/// Writes what is known of keys and entries.
pub(in crate::store) fn record(
    connection: &Connection,
    uses: &[(ObjectId, Use)],
) -> Result<(), rusqlite::Error> {
    let text = "INSERT OR REPLACE INTO key_uses (id, count, last, address) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = connection.prepare_cached(text)?;
    for (id, Use { count, last, address }) in uses {
        let address = address.map(|address| address.to_string());
        statement.execute(params![id.to_string(), count.cast_signed(), last, address])?;
    }
    Ok(())
}

/// Forgets a key and its entries, but for those that are there still.
pub(super) fn forget(
    connection: &Connection,
    old: &Key,
    new: Option<&Key>,
) -> Result<(), rusqlite::Error> {
    let ids = |key: &Key| {
        let sources = key.sources.iter().map(|source| source.id);
        sources.chain([key.id]).collect::<Vec<_>>()
    };
    let stay = new.map(ids).unwrap_or_default();
    for gone in ids(old).into_iter().filter(|id| !stay.contains(id)) {
        let text = "DELETE FROM key_uses WHERE id = ?1";
        connection.prepare_cached(text)?.execute([gone.to_string()])?;
    }
    Ok(())
}

/// Reads all of it.
pub(in crate::store) fn load(connection: &Connection) -> Result<HashMap<ObjectId, Use>, LoadError> {
    let mut statement = connection.prepare("SELECT id, count, last, address FROM key_uses")?;
    let mut rows = statement.query([])?;
    let mut uses = HashMap::new();
    while let Some(row) = rows.next()? {
        let address: Option<String> = row.get(3)?;
        let seen = Use {
            count: row.get::<_, i64>(1)?.cast_unsigned(),
            last: row.get(2)?,
            address: address.and_then(|address| address.parse().ok()),
        };
        uses.insert(parsed(row, 0, "key_uses.id")?, seen);
    }
    Ok(uses)
}
