//! API keys and sessions in the database.

mod uses;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::load::{LoadError, parsed};
use super::seal::{self, Seal};
use crate::access_list::Address;
use crate::id::ObjectId;
use crate::key::{AccessToken, Key, KeySource, SecretHash, Session};
use crate::state::State;

pub(super) use uses::{load as load_uses, record as record_uses};

/// An access token in a blob: its hash, then its end.
const TOKEN_BYTES: usize = 32 + 8;

/// Writes a key with its access list, or removes both.
pub(super) fn record_key(
    connection: &Connection,
    old: Option<&Key>,
    new: Option<&Key>,
) -> Result<(), rusqlite::Error> {
    if let Some(old) = old {
        let id = old.id.to_string();
        connection.prepare_cached("DELETE FROM keys WHERE id = ?1")?.execute([&id])?;
        connection.prepare_cached("DELETE FROM key_sources WHERE key = ?1")?.execute([&id])?;
        uses::forget(connection, old, new)?;
    }
    let Some(key) = new else { return Ok(()) };
    let text = "INSERT INTO keys (id, public, secret, description, enabled, created, created_by)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(text)?.execute(params![
        key.id.to_string(),
        key.public,
        key.secret.to_bytes(),
        key.description,
        key.enabled,
        key.created,
        key.created_by,
    ])?;
    let text = "INSERT INTO key_sources (id, key, place, address, comment, created)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut statement = connection.prepare_cached(text)?;
    for (place, source) in (0_i64..).zip(&key.sources) {
        statement.execute(params![
            source.id.to_string(),
            key.id.to_string(),
            place,
            source.address.text(),
            source.comment,
            source.created,
        ])?;
    }
    Ok(())
}

/// Writes a session, or removes it.
pub(super) fn record_session(
    connection: &Connection,
    old: Option<&Session>,
    new: Option<&Session>,
) -> Result<(), rusqlite::Error> {
    if let Some(old) = old {
        let id = old.id.to_string();
        connection.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id])?;
    }
    let Some(session) = new else { return Ok(()) };
    let text = "INSERT INTO sessions (id, key, refresh, issued, expires, source, access)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(text)?.execute(params![
        session.id.to_string(),
        session.key.to_string(),
        session.refresh.to_bytes(),
        session.issued,
        session.expires,
        session.from,
        access_blob(session),
    ])?;
    Ok(())
}

/// The access tokens of a session as one column holds them.
pub(super) fn access_blob(session: &Session) -> Vec<u8> {
    let token = |token: &AccessToken| {
        let mut bytes = [0; TOKEN_BYTES];
        bytes[..32].copy_from_slice(&token.secret.to_bytes());
        bytes[32..].copy_from_slice(&token.expires.to_be_bytes());
        bytes
    };
    session.access.iter().flat_map(token).collect()
}

/// Reads all keys and sessions.
pub(super) fn load(
    connection: &Connection,
    state: &mut State,
    seal: &mut Seal,
) -> Result<(), LoadError> {
    load_keys(connection, state, seal)?;
    let text = "SELECT id, key, refresh, issued, expires, source, access FROM sessions";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let session = session(row)?;
        if !state.keys.contains_key(&session.key) {
            return Err(damaged(session.id, &"it has no key"));
        }
        seal.add(seal::of_session(&session));
        state.sessions.insert(session.id, Arc::new(session));
    }
    Ok(())
}

fn load_keys(connection: &Connection, state: &mut State, seal: &mut Seal) -> Result<(), LoadError> {
    let mut lists = load_sources(connection)?;
    let text = "SELECT id, public, secret, description, enabled, created, created_by FROM keys";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = parsed(row, 0, "keys.id")?;
        let key = Key {
            id,
            public: row.get(1)?,
            secret: SecretHash::from_bytes(row.get(2)?),
            description: row.get(3)?,
            enabled: row.get(4)?,
            created: row.get(5)?,
            created_by: row.get(6)?,
            sources: lists.remove(&id).unwrap_or_default(),
        };
        seal.add(seal::of_key(&key));
        state.keys.insert(id, Arc::new(key));
    }
    match lists.keys().next() {
        None => Ok(()),
        Some(id) => Err(damaged(*id, &"it has an access list, and is no key")),
    }
}

/// The access lists of all keys, each in its order.
fn load_sources(connection: &Connection) -> Result<BTreeMap<ObjectId, Vec<KeySource>>, LoadError> {
    let mut lists: BTreeMap<ObjectId, Vec<KeySource>> = BTreeMap::new();
    let text = "SELECT id, key, address, comment, created FROM key_sources ORDER BY place";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = parsed(row, 0, "key_sources.id")?;
        let address = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let address = Address::parse(address).map_err(|error| damaged(id, &error))?;
        let source = KeySource { id, address, comment: row.get(3)?, created: row.get(4)? };
        lists.entry(parsed(row, 1, "key_sources.key")?).or_default().push(source);
    }
    Ok(lists)
}

fn session(row: &Row<'_>) -> Result<Session, LoadError> {
    let id = parsed(row, 0, "sessions.id")?;
    let blob = row.get_ref(6)?.as_blob().map_err(rusqlite::Error::from)?;
    let (tokens, rest) = blob.as_chunks::<TOKEN_BYTES>();
    if !rest.is_empty() {
        return Err(damaged(id, &"its tokens break off"));
    }
    Ok(Session {
        id,
        key: parsed(row, 1, "sessions.key")?,
        refresh: SecretHash::from_bytes(row.get(2)?),
        issued: row.get(3)?,
        expires: row.get(4)?,
        from: row.get(5)?,
        access: tokens.iter().map(token).collect(),
    })
}

fn token(bytes: &[u8; TOKEN_BYTES]) -> AccessToken {
    let (mut secret, mut expires) = ([0; 32], [0; 8]);
    secret.copy_from_slice(&bytes[..32]);
    expires.copy_from_slice(&bytes[32..]);
    AccessToken { secret: SecretHash::from_bytes(secret), expires: i64::from_be_bytes(expires) }
}

fn damaged(id: ObjectId, cause: &dyn Display) -> LoadError {
    LoadError::Damaged(format!("API key or session {id}: {cause}"))
}
