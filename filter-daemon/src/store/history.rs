//! Versions of lists, and the audit log: written with the change that they
//! tell of, read by a connection of their own, changed by nobody.

use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::change::{Note, Versioned};
use super::error::StoreError;
use super::seal;
use super::undo::Undo;
use crate::access_list::AccessList;
use crate::app::App;
use crate::caller::Caller;

/// Who changed something, when, from where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origination {
    /// The revision of the state that the change made.
    pub revision: u64,
    /// Unix second.
    pub at: i64,
    /// Who.
    pub who: String,
    /// From where.
    pub source: String,
    /// Why, possibly empty.
    pub reason: String,
    /// What kind of change.
    pub action: String,
}

/// One version of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number; the first is 1.
    pub version: u64,
    /// Where it comes from.
    pub origination: Origination,
    /// How many entries were new in it.
    pub added: u64,
    /// How many were gone.
    pub removed: u64,
    /// How many were different.
    pub changed: u64,
    /// How many entries it has.
    pub size: u64,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Rises by one a line.
    pub sequence: u64,
    /// Where it comes from.
    pub origination: Origination,
    /// What was changed.
    pub subject: String,
    /// How.
    pub detail: String,
}

/// What is written with a change.
pub(super) struct Origin<'a> {
    pub(super) revision: u64,
    pub(super) at: i64,
    pub(super) caller: &'a Caller,
    pub(super) reason: &'a str,
    pub(super) action: &'static str,
    /// Whether the audit log tells of it.
    pub(super) is_audited: bool,
}

/// Writes the versions and the audit line of a change.
pub(super) fn record(
    connection: &Connection,
    origin: &Origin<'_>,
    versions: &[Versioned],
    note: &Note,
    kept_versions: usize,
) -> Result<(), rusqlite::Error> {
    versions.iter().try_for_each(|versioned| {
        record_version(connection, origin, versioned)?;
        forget(connection, versioned, kept_versions)
    })?;
    if !origin.is_audited {
        return Ok(());
    }
    let text = "INSERT INTO audit (revision, at, who, source, reason, action, subject, detail)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(text)?.execute(params![
        origin.revision.cast_signed(),
        origin.at,
        origin.caller.who,
        origin.caller.from.to_string(),
        origin.reason,
        origin.action,
        note.subject,
        note.detail,
    ])?;
    Ok(())
}

fn record_version(
    connection: &Connection,
    origin: &Origin<'_>,
    versioned: &Versioned,
) -> Result<(), rusqlite::Error> {
    let text = "INSERT INTO versions (app, version, revision, at, who, source, reason, action,
                added, removed, changed, size, undo, seal)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let undo = Undo::of(versioned).to_blob();
    let (index, version) = (versioned.app.index, versioned.change.version);
    connection.prepare_cached(text)?.execute(params![
        index,
        version.cast_signed(),
        origin.revision.cast_signed(),
        origin.at,
        origin.caller.who,
        origin.caller.from.to_string(),
        origin.reason,
        origin.action,
        count(versioned.change.added.len()),
        count(versioned.change.removed.len()),
        count(versioned.change.changed.len()),
        count(versioned.size()),
        undo,
        seal::of_undo(index, version, &undo).cast_signed(),
    ])?;
    Ok(())
}

/// Forgets the versions that are too many.
fn forget(
    connection: &Connection,
    versioned: &Versioned,
    kept_versions: usize,
) -> Result<(), rusqlite::Error> {
    let last = versioned.change.version.saturating_sub(kept_versions as u64);
    let text = "DELETE FROM versions WHERE app = ?1 AND version <= ?2";
    connection.prepare_cached(text)?.execute(params![versioned.app.index, last.cast_signed()])?;
    Ok(())
}

/// A list as it was at an earlier version, made from the one there is.
pub(super) fn list_at(
    connection: &Connection,
    app: &App,
    version: u64,
) -> Result<AccessList, StoreError> {
    let latest = app.list.version;
    let oldest = oldest(connection, app)?;
    if version == 0 || version > latest || version < oldest {
        return Err(StoreError::UnknownVersion { version, oldest, latest });
    }
    let mut list = app.list.clone();
    let text = "SELECT version, undo, seal FROM versions
                WHERE app = ?1 AND version > ?2 AND version <= ?3 ORDER BY version DESC";
    let mut statement = connection.prepare_cached(text)?;
    let range = params![app.index, version.cast_signed(), latest.cast_signed()];
    let mut rows = statement.query(range)?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let damaged = |cause| StoreError::HistoryDamaged { version: at.cast_unsigned(), cause };
        let seal: i64 = row.get(2)?;
        if seal::of_undo(app.index, at.cast_unsigned(), blob).cast_signed() != seal {
            return Err(damaged("it is not what was written".to_owned()));
        }
        Undo::take_back(blob, &mut list).map_err(damaged)?;
    }
    list.version = version;
    Ok(list)
}

/// The oldest version that can be brought back.
fn oldest(connection: &Connection, app: &App) -> Result<u64, rusqlite::Error> {
    let text = "SELECT MIN(version) FROM versions WHERE app = ?1";
    let mut statement = connection.prepare_cached(text)?;
    let oldest: Option<i64> =
        statement.query_row([app.index], |row| row.get(0)).optional()?.flatten();
    Ok(oldest.map_or(app.list.version, i64::cast_unsigned))
}

/// Reads what was, while the writer writes.
pub(super) struct Archive(Mutex<Connection>);

impl Archive {
    /// An archive that reads by a connection.
    pub(super) fn new(connection: Connection) -> Self {
        Self(Mutex::new(connection))
    }

    /// Versions of a list, latest first, those before one if it is given.
    pub(super) fn versions(
        &self,
        app: &App,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Version>, StoreError> {
        let text = "SELECT revision, at, who, source, reason, action, version, added, removed,
                    changed, size FROM versions
                    WHERE app = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3";
        let before = before.map_or(i64::MAX, |before| before.min(1 << 62).cast_signed());
        self.read(text, params![app.index, before, limit], |row| {
            Ok(Version {
                origination: origination(row)?,
                version: number(row, 6)?,
                added: number(row, 7)?,
                removed: number(row, 8)?,
                changed: number(row, 9)?,
                size: number(row, 10)?,
            })
        })
    }

    /// Lines of the audit log, latest first, those before one if it is given.
    pub(super) fn audit(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let text = "SELECT revision, at, who, source, reason, action, sequence, subject, detail
                    FROM audit WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2";
        let before = before.map_or(i64::MAX, |before| before.min(1 << 62).cast_signed());
        self.read(text, params![before, limit], |row| {
            Ok(AuditLine {
                origination: origination(row)?,
                sequence: number(row, 6)?,
                subject: row.get(7)?,
                detail: row.get(8)?,
            })
        })
    }

    /// A list of the state as it was at an earlier version.
    pub(super) fn list_at(&self, app: &App, version: u64) -> Result<AccessList, StoreError> {
        list_at(&self.connection(), app, version)
    }

    fn read<T>(
        &self,
        text: &str,
        params: impl rusqlite::Params,
        line: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(text)?;
        let lines = statement.query_map(params, line)?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Connection> {
        // It only reads: a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As SQLite counts.
fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn origination(row: &Row<'_>) -> Result<Origination, rusqlite::Error> {
    Ok(Origination {
        revision: number(row, 0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        source: row.get(3)?,
        reason: row.get(4)?,
        action: row.get(5)?,
    })
}

fn number(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get(column).map(i64::cast_unsigned)
}
