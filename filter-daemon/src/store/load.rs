//! The database into memory. Believes nothing that is not well formed and
//! under the seal.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::keys;
use super::seal::{self, Seal};
use super::undo::Authors;
use crate::access_list::{AccessList, Address, Entry, Prefix};
use crate::app::{App, ProxyDocument, ProxySettings, Scope, parse_mode};
use crate::id::ObjectId;
use crate::key_use::Use;
use crate::origin::Origin;
use crate::state::{Group, Settings, State};

/// What the database holds.
pub(super) struct Loaded {
    pub(super) state: State,
    pub(super) next_number: u32,
    /// Of all rows but the host's.
    pub(super) seal: Seal,
    /// How often keys were used.
    pub(super) uses: HashMap<ObjectId, Use>,
}

/// Why the database is not believed.
#[derive(Debug)]
pub(super) enum LoadError {
    Sqlite(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for LoadError {
    fn from(error: rusqlite::Error) -> Self {
        // A text that is no UTF-8 or a number out of range is damage; what
        // SQLite itself reports may be a lock or a disk.
        if matches!(error, rusqlite::Error::SqliteFailure(..)) {
            Self::Sqlite(error)
        } else {
            Self::Damaged(error.to_string())
        }
    }
}

/// Reads everything.
pub(super) fn load(connection: &Connection) -> Result<Loaded, LoadError> {
    // One transaction, so that all of it is of one moment.
    let transaction = connection.unchecked_transaction()?;
    let mut seal = Seal::default();
    let mut state = State::default();
    load_groups(&transaction, &mut state, &mut seal)?;
    let next_number =
        transaction.query_row("SELECT next_number FROM host", [], |row| row.get(0))?;
    let lists = load_lists(&transaction, next_number, &mut seal)?;
    load_apps(&transaction, &mut state, lists, &mut seal)?;
    keys::load(&transaction, &mut state, &mut seal)?;
    let found = load_host(&transaction, &mut state)?;
    let sealed = seal.with(seal::of_host(state.revision, next_number, state.settings));
    if sealed.to_sql() != found {
        return Err(LoadError::Damaged(
            "what it holds is not what was written to it last (its seal does not match)".to_owned(),
        ));
    }
    let uses = keys::load_uses(&transaction)?;
    Ok(Loaded { state, next_number, seal, uses })
}

fn load_host(connection: &Connection, state: &mut State) -> Result<i64, LoadError> {
    let text = "SELECT revision, dhcp, non_ip, seal FROM host";
    let (revision, dhcp, non_ip, seal): (i64, bool, bool, i64) =
        connection
            .query_row(text, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    state.revision = revision.cast_unsigned();
    state.settings = Settings { dhcp, non_ip };
    Ok(seal)
}

fn load_groups(
    connection: &Connection,
    state: &mut State,
    seal: &mut Seal,
) -> Result<(), LoadError> {
    let mut statement = connection.prepare("SELECT id, name FROM groups")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let group = Group { id: parsed(row, 0, "groups.id")?, name: row.get(1)? };
        seal.add(seal::of_group(&group));
        state.groups.insert(group.id, group);
    }
    Ok(())
}

fn load_lists(
    connection: &Connection,
    next_number: u32,
    seal: &mut Seal,
) -> Result<BTreeMap<u32, AccessList>, LoadError> {
    let mut lists: BTreeMap<u32, Vec<Arc<Entry>>> = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT number, app, id, address, comment, enabled, expires, author, changed
         FROM entries ORDER BY number",
    )?;
    let mut authors = Authors::default();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let app_index: u32 = row.get(1)?;
        let entry = Arc::new(entry(row, next_number, &mut authors)?);
        seal.add(seal::of_entry(app_index, &entry));
        lists.entry(app_index).or_default().push(entry);
    }
    lists
        .into_iter()
        .map(|(app_index, entries)| {
            let mut list = AccessList::default();
            list.extend(&entries).map_err(|error| LoadError::Damaged(error.to_string()))?;
            Ok((app_index, list))
        })
        .collect()
}

fn entry(row: &Row<'_>, next_number: u32, authors: &mut Authors) -> Result<Entry, LoadError> {
    let number: u32 = row.get(0)?;
    let damaged = |cause: &dyn Display| LoadError::Damaged(format!("entry {number}: {cause}"));
    let address = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
    let address = Address::parse(address).map_err(|error| damaged(&error))?;
    let author = row.get_ref(7)?.as_str().map_err(rusqlite::Error::from)?;
    let entry = Entry {
        id: parsed(row, 2, "entries.id")?,
        address,
        comment: row.get(4)?,
        enabled: row.get(5)?,
        expires: row.get(6)?,
        author: authors.share(author),
        changed: row.get(8)?,
    };
    if entry.number() != number {
        return Err(damaged(&format!("its id {} holds another number", entry.id)));
    }
    if number >= next_number {
        return Err(damaged(&"it was never given out"));
    }
    Ok(entry)
}

fn load_apps(
    connection: &Connection,
    state: &mut State,
    mut lists: BTreeMap<u32, AccessList>,
    seal: &mut Seal,
) -> Result<(), LoadError> {
    let mut statement = connection.prepare(
        "SELECT place, id, group_id, client_app_id, name, mode, scopes, trusted_hops, last_modified,
         origins, require_origin, list_version, proxy FROM apps",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let index: u32 = row.get(0)?;
        let mut list = lists.remove(&index).unwrap_or_default();
        list.version = row.get::<_, i64>(11)?.cast_unsigned();
        let app = App {
            id: parsed(row, 1, "apps.id")?,
            client_app_id: row.get(3)?,
            name: row.get(4)?,
            group: parsed(row, 2, "apps.group_id")?,
            index,
            mode: parse_mode(row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?)
                .map_err(|error| LoadError::Damaged(error.to_string()))?,
            scopes: lines::<Scope>(row, 6, "apps.scopes")?,
            trusted_hops: lines::<Prefix>(row, 7, "apps.trusted_hops")?,
            origins: lines::<Origin>(row, 9, "apps.origins")?,
            require_origin: row.get(10)?,
            proxy: proxy(row, 12)?,
            list,
            last_modified: row.get(8)?,
        };
        if !state.groups.contains_key(&app.group) {
            return Err(LoadError::Damaged(format!("app {} has no group", app.client_app_id)));
        }
        seal.add(seal::of_app(&app));
        state.apps.insert(app.id, Arc::new(app));
    }
    match lists.keys().next() {
        None => Ok(()),
        Some(index) => {
            Err(LoadError::Damaged(format!("there are entries of app {index}, and no such app")))
        }
    }
}

fn proxy(row: &Row<'_>, column: usize) -> Result<ProxySettings, LoadError> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    let damaged =
        |error: &dyn std::fmt::Display| LoadError::Damaged(format!("apps.proxy: {error}"));
    let document: ProxyDocument = serde_json::from_str(text).map_err(|error| damaged(&error))?;
    document.read().map_err(|error| damaged(&error))
}

pub(super) fn parsed(row: &Row<'_>, column: usize, name: &str) -> Result<ObjectId, LoadError> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    text.parse().map_err(|error| LoadError::Damaged(format!("{name}: {error}")))
}

fn lines<T: FromStr<Err: Display>>(
    row: &Row<'_>,
    column: usize,
    name: &str,
) -> Result<Vec<T>, LoadError> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    text.lines()
        .map(|line| line.parse().map_err(|error| LoadError::Damaged(format!("{name}: {error}"))))
        .collect()
}
