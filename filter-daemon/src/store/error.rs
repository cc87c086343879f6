//! Why the store does not open, and why it refuses a change.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::access_list::ListError;
use crate::command::Session;
use crate::id::ObjectId;
use crate::policy::PolicyError;

const UNTOUCHED: &str = "The file was not touched, and a filter that is in the kernel stays. Put a backup in its place; or, to start with no apps, take the filter off with `filterctl detach` and move the file and its -wal and -shm files away";

/// Why the store does not open. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or looked at.
    #[error("state directory {}: {source}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may enter the directory.
    #[error("state directory {0}: others may enter it (mode {mode:04o}), and it holds more than the database: name a directory of its own in paths.state, or run `chmod 0700 {0}`", .path.display())]
    Exposed {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Somebody else owns the directory.
    #[error("state directory {}: belongs to user {owner}, and the daemon runs as user {user}: give it to the daemon's user, or name another directory in paths.state", .path.display())]
    Owner {
        /// The directory.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// Another daemon uses the directory.
    #[error("state directory {}: another filterd{} uses it: stop that one, or name another directory in paths.state", .path.display(), pid_text(*.pid))]
    Held {
        /// The directory.
        path: PathBuf,
        /// The other daemon, if it said who it is.
        pid: Option<u32>,
    },
    /// A file of the store cannot be read, written or locked.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{}: is not a SQLite database. {UNTOUCHED}", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// Another program's database.
    #[error("{}: is a database of another program (application id {application_id:#010x}). {UNTOUCHED}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        application_id: u32,
    },
    /// The database of a later filterd.
    #[error("{}: was written by a later filterd (schema {version}, this one knows {known}): install that filterd again. The file was not touched", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        version: u32,
        /// The latest schema known here.
        known: u32,
    },
    /// The database of a filterd before the first release.
    #[error("{}: was written by a filterd before the first release (schema {version}, this one knows {known}): export its lists with that filterd, move the file away, and import them again. The file was not touched", .path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema.
        version: u32,
        /// The schema known here.
        known: u32,
    },
    /// There is none, and the kernel filters by a policy that came from one.
    #[error("{}: there is no database, but the kernel filters by the lists of one: to start without it would let everybody in. The filter stays as it is. Put the database or a backup back (is its file system mounted?); or, to start with no apps, take the filter off first with `filterctl detach`", .path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It is older than what is in force, and has nothing to put in its place.
    #[error("{}: holds no app (revision {saved}), but the kernel filters by revision {in_force} of it: to go on would let everybody in. What was not moved into it yet is lost, with its journal (-wal). The filter stays as it is. Put a backup back; or, to start with no apps, take the filter off first with `filterctl detach`", .path.display())]
    Emptied {
        /// The file.
        path: PathBuf,
        /// The revision that it holds.
        saved: u64,
        /// The revision that the kernel holds.
        in_force: u64,
    },
    /// The database is not whole.
    #[error("{}: is damaged: {cause}. {UNTOUCHED}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// The database is gone, and what was not yet moved into it is there.
    #[error("{}: the database is missing, but its journal {} is there: put the database back, or move the journal away too", .path.display(), .journal.display())]
    JournalAlone {
        /// The missing file.
        path: PathBuf,
        /// What is there.
        journal: PathBuf,
    },
    /// The disk is full.
    #[error("{}: its disk is full: make room, and start filterd again. The filter stays as it is", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// SQLite cannot open or make the file.
    #[error("{}: {source}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// No thread for the writer.
    #[error("the store's thread does not start: {source}")]
    Thread {
        /// Why.
        source: io::Error,
    },
}

/// Why a change is refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No group has the id.
    #[error("group not found: '{0}'")]
    GroupNotFound(ObjectId),
    /// The group has no app of the id.
    #[error("app not found: '{0}'")]
    AppNotFound(ObjectId),
    /// The group has an app of the name.
    #[error("an app named {name:?} is in the group already ({client_app_id}): choose another name")]
    AppAlreadyExists {
        /// What was asked for.
        name: String,
        /// The app that has it.
        client_app_id: String,
    },
    /// The app lists no such origin.
    #[error("origin not found: {0:?} is not among the app's origins; nothing was changed")]
    UnknownOrigin(String),
    /// Not a name of an app.
    #[error("name: {0:?} is not a name for an app: start with a letter, then letters, digits, _ and -, at most {max} characters", max = super::LONGEST_NAME_BYTES)]
    InvalidName(String),
    /// A comment that is too long.
    #[error("comment: is {0} bytes long: at most {max}", max = super::LONGEST_COMMENT_BYTES)]
    CommentTooLong(usize),
    /// An end that has passed already.
    #[error(
        "expires: the end given for {address} has passed already: give one that is yet to come, or leave the entry away"
    )]
    ExpiresInPast {
        /// The address of the entry.
        address: String,
    },
    /// The list is not at the version that the caller knows.
    #[error(
        "the list is at version {found}, and the change was made for version {expected}: look at what has changed, and try again"
    )]
    VersionMismatch {
        /// What the caller knows.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// Something was changed since the caller looked.
    #[error(
        "filterd is at revision {found}, and the change was made for revision {expected}: something was changed in between, so look at what has changed, and try again"
    )]
    RevisionMismatch {
        /// What the caller knows.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// No such version is kept.
    #[error("version {version} of the list is not kept: there are versions {oldest} to {latest}")]
    UnknownVersion {
        /// What was asked for.
        version: u64,
        /// The oldest that is kept.
        oldest: u64,
        /// The version of now.
        latest: u64,
    },
    /// A version cannot be brought back.
    #[error("version {version} of the list cannot be read back: {cause}; nothing was changed")]
    HistoryDamaged {
        /// The version on the way.
        version: u64,
        /// What is wrong with it.
        cause: String,
    },
    /// An import would take too much off.
    #[error(
        "this would take {removed} of {size} entries off, more than {percent} %: look at the input, and use --force if it is right"
    )]
    ShrinkGuard {
        /// How many would go.
        removed: usize,
        /// How many there are.
        size: usize,
        /// The share that may go.
        percent: u8,
    },
    /// The list refuses the change.
    #[error(transparent)]
    List(#[from] ListError),
    /// A limit of filterd.toml, or of the kernel's tables.
    #[error("{count} {what} would be more than the limit of {limit}: {remedy}")]
    LimitExceeded {
        /// What there would be too many of.
        what: &'static str,
        /// How many there would be.
        count: usize,
        /// How many there may be.
        limit: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// No API key has the id.
    #[error("API key not found: '{0}'")]
    KeyNotFound(ObjectId),
    /// The access list of the API key has no such entry.
    #[error("access list entry not found: '{0}'")]
    KeySourceNotFound(ObjectId),
    /// The access list of the API key has the prefix.
    #[error("{address} is on the access list of the API key already, as {listed}")]
    KeySourceListed {
        /// What was asked for.
        address: String,
        /// As it is listed.
        listed: String,
    },
    /// Chance gave the same letters twice.
    #[error("another API key is called {0}: try again")]
    PublicHalfTaken(Arc<str>),
    /// Whoever asked for the change could have done it when it was begun.
    #[error("invalid session")]
    Revoked,
    /// No session has the id, or it is over.
    #[error("session not found: '{0}'")]
    SessionNotFound(ObjectId),
    /// The result could not be enforced.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The change would cut the caller's session.
    #[error("this would cut your own session from {} to {}: no entry or fail-safe source would admit it any more", .0.peer, .0.local)]
    WouldCutSession(Session),
    /// There is no room on the disk.
    #[error("no space is left in {}: make room and try again; nothing was changed", .directory.display())]
    StorageFull {
        /// The directory of the database.
        directory: PathBuf,
    },
    /// The database does not take the change.
    #[error("the database does not take the change: {0}; nothing was changed")]
    Storage(#[from] rusqlite::Error),
    /// Something else wrote to the database.
    #[error(
        "another program wrote to the database while filterd ran: stop filterd, look at the file, and start it again; nothing was changed"
    )]
    Diverged,
    /// The writer has ended.
    #[error("the store has stopped")]
    Stopped,
}

fn pid_text(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
