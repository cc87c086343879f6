//! The database file: made whole or not at all, looked at before it is
//! opened, checked before it is believed.

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::directory::DATABASE;
use super::error::OpenError;
use super::fresh::Fresh;
use super::load::{self, LoadError, Loaded};
use super::seal::{self, Seal};
use crate::state::{Group, Settings};

const FILE_IN_THE_MAKING: &str = "filterd.db.new";

/// "flt" and a one.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"flt1");
const SCHEMA_VERSION: u32 = 3;

const SCHEMA: &str = "
    CREATE TABLE host (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        revision INTEGER NOT NULL,
        next_number INTEGER NOT NULL,
        dhcp INTEGER NOT NULL,
        non_ip INTEGER NOT NULL,
        seal INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE groups (
        id TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE apps (
        place INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        group_id TEXT NOT NULL REFERENCES groups (id),
        client_app_id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        mode TEXT NOT NULL,
        scopes TEXT NOT NULL,
        trusted_hops TEXT NOT NULL,
        last_modified INTEGER NOT NULL,
        origins TEXT NOT NULL,
        require_origin INTEGER NOT NULL,
        list_version INTEGER NOT NULL,
        proxy TEXT NOT NULL,
        UNIQUE (group_id, name)
    ) STRICT;
    CREATE TABLE entries (
        number INTEGER PRIMARY KEY,
        app INTEGER NOT NULL REFERENCES apps (place),
        id TEXT NOT NULL,
        address TEXT NOT NULL,
        comment TEXT NOT NULL,
        enabled INTEGER NOT NULL,
        expires INTEGER,
        author TEXT NOT NULL,
        changed INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE versions (
        app INTEGER NOT NULL,
        version INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        source TEXT NOT NULL,
        reason TEXT NOT NULL,
        action TEXT NOT NULL,
        added INTEGER NOT NULL,
        removed INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        size INTEGER NOT NULL,
        undo BLOB NOT NULL,
        seal INTEGER NOT NULL,
        UNIQUE (app, version)
    ) STRICT;
    CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY,
        revision INTEGER NOT NULL,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        source TEXT NOT NULL,
        reason TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE TABLE keys (
        id TEXT PRIMARY KEY NOT NULL,
        public TEXT NOT NULL UNIQUE,
        secret BLOB NOT NULL,
        description TEXT NOT NULL,
        enabled INTEGER NOT NULL,
        created INTEGER NOT NULL,
        created_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE key_sources (
        id TEXT PRIMARY KEY NOT NULL,
        key TEXT NOT NULL REFERENCES keys (id),
        place INTEGER NOT NULL,
        address TEXT NOT NULL,
        comment TEXT NOT NULL,
        created INTEGER NOT NULL,
        UNIQUE (key, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY NOT NULL,
        key TEXT NOT NULL REFERENCES keys (id),
        refresh BLOB NOT NULL,
        issued INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        source TEXT NOT NULL,
        access BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE key_uses (
        id TEXT PRIMARY KEY NOT NULL,
        count INTEGER NOT NULL,
        last INTEGER NOT NULL,
        address TEXT
    ) STRICT, WITHOUT ROWID;
";

/// How long another reader, such as a backup, may hold a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open database.
pub(super) struct Database {
    pub(super) connection: Connection,
    /// Another way to the same file.
    pub(super) second: Connection,
    /// A third one, which only reads.
    pub(super) reader: Connection,
    pub(super) loaded: Loaded,
}

/// Opens the database of a directory that is claimed; makes it first if there
/// is none.
pub(super) fn open(directory: &Path) -> Result<Database, OpenError> {
    let path = directory.join(DATABASE);
    if !path.try_exists().map_err(|source| OpenError::File { path: path.clone(), source })? {
        make(directory, &path)?;
    }
    check_header(&path)?;
    let of_sqlite = |source| sqlite_error(&path, source);
    let connection = connect(&path).map_err(of_sqlite)?;
    let second = connect(&path).map_err(of_sqlite)?;
    // Two passes over all of the file, at the same time.
    let (loaded, checked) = std::thread::scope(|scope| {
        let checking = scope.spawn(|| check_pages(&path, second));
        let loaded = load::load(&connection);
        (loaded, checking.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let second = checked?;
    let loaded = loaded.map_err(|error| match error {
        LoadError::Sqlite(source) => sqlite_error(&path, source),
        LoadError::Damaged(cause) => OpenError::Damaged { path: path.clone(), cause },
    })?;
    begin_writing(&connection).map_err(of_sqlite)?;
    begin_writing(&second).map_err(of_sqlite)?;
    let reader = connect(&path).map_err(of_sqlite)?;
    reader.pragma_update(None, "query_only", true).map_err(of_sqlite)?;
    Ok(Database { connection, second, reader, loaded })
}

/// The journal of a directory, if it holds what is not in the database yet.
pub(super) fn filled_journal(directory: &Path) -> Option<PathBuf> {
    let journal = directory.join(format!("{DATABASE}-wal"));
    journal.metadata().is_ok_and(|journal| journal.len() > 0).then_some(journal)
}

/// Makes the database under another name, so that a file of the right name is
/// always a whole one.
fn make(directory: &Path, path: &Path) -> Result<(), OpenError> {
    if let Some(journal) = filled_journal(directory) {
        return Err(OpenError::JournalAlone { path: path.to_owned(), journal });
    }
    let new = directory.join(FILE_IN_THE_MAKING);
    let of_file = |source| OpenError::File { path: new.clone(), source };
    for leftover in [new.clone(), directory.join(format!("{FILE_IN_THE_MAKING}-journal"))] {
        match fs::remove_file(&leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(of_file(error)),
            Ok(()) | Err(_) => {}
        }
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(of_file)?;
    fill(&new).map_err(|source| OpenError::Sqlite { path: new.clone(), source })?;
    fs::rename(&new, path).map_err(of_file)?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(of_file)
}

fn fill(path: &Path) -> Result<(), rusqlite::Error> {
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut fresh = Fresh { next_number: 1, now: now.as_secs().cast_signed() };
    let id = fresh.id().expect("the first number is not the last");
    let group = Group { id, name: "default".to_owned() };
    let settings = Settings::default();
    let mut seal = Seal::default();
    seal.add(seal::of_group(&group));
    let sealed = seal.with(seal::of_host(0, fresh.next_number, settings));
    transaction.execute(
        "INSERT INTO groups (id, name) VALUES (?1, ?2)",
        params![group.id.to_string(), group.name],
    )?;
    transaction.execute(
        "INSERT INTO host (one, revision, next_number, dhcp, non_ip, seal) VALUES (1, 0, ?1, ?2, ?3, ?4)",
        params![fresh.next_number, settings.dhcp, settings.non_ip, sealed.to_sql()],
    )?;
    transaction.commit()
}

/// Reads the first page's header without SQLite, which might write to a file
/// that is none of its business.
fn check_header(path: &Path) -> Result<(), OpenError> {
    let path_buf = || path.to_owned();
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let cause = "it is shorter than any database".to_owned();
            return Err(OpenError::Damaged { path: path_buf(), cause });
        }
        Err(source) => return Err(OpenError::File { path: path_buf(), source }),
        Ok(()) => {}
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase { path: path_buf() });
    }
    let (version, application_id) = (number(60), number(68));
    if application_id != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path_buf(), application_id });
    }
    match version.cmp(&SCHEMA_VERSION) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => {
            Err(OpenError::Newer { path: path_buf(), version, known: SCHEMA_VERSION })
        }
        Ordering::Less => {
            Err(OpenError::Older { path: path_buf(), version, known: SCHEMA_VERSION })
        }
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    // A database that turns out to be damaged is closed as it was found.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Checked for all rows at every start, and too dear for each of a million.
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

/// Only for a database that was checked: the first line may write to it, when
/// it is new or a backup.
fn begin_writing(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The journal stays as long as the longest import has made it: to cut it
    // off costs the next change some fifteen milliseconds.
    connection.pragma_update(None, "journal_size_limit", -1)?;
    // The writer does it when nobody waits.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

fn check_pages(path: &Path, connection: Connection) -> Result<Connection, OpenError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| sqlite_error(path, source))?;
    if found == "ok" {
        return Ok(connection);
    }
    Err(OpenError::Damaged { path: path.to_owned(), cause: found.replace('\n', " ") })
}

/// What SQLite says of a damaged file, in our words; anything else in its own.
fn sqlite_error(path: &Path, source: rusqlite::Error) -> OpenError {
    let path: PathBuf = path.to_owned();
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path, cause: source.to_string() }
        }
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure)
            if has_no_room(&path) =>
        {
            OpenError::Full { path }
        }
        _ => OpenError::Sqlite { path, source },
    }
}

/// Whether the disk of a file or directory is full. SQLite says so of a write,
/// but only "I/O error" when the sync or the index of the journal finds no room.
pub(super) fn has_no_room(path: &Path) -> bool {
    nix::sys::statvfs::statvfs(path).is_ok_and(|disk| disk.blocks_available() == 0)
}
