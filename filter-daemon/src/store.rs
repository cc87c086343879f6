//! The store: the only place that changes state, and the only copy that
//! outlives the daemon.
//!
//! Owns the SQLite database, the lock on its directory, and the numbers and
//! ids that are given out. Never touches the kernel and knows no front end.
//!
//! Invariants: one writer; a change is on disk before anybody hears of it; a
//! change that fails leaves memory and disk as they were; numbers are never
//! given out twice; a database that is not known to be whole is never
//! started from, and never written to.

mod aftermath;
mod apply;
mod change;
mod database;
mod directory;
mod draft;
mod error;
mod fresh;
mod history;
mod keys;
mod load;
mod record;
mod seal;
mod undo;
mod writer;

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};

pub use error::{OpenError, StoreError};
pub use history::{AuditLine, Origination, Version};

use crate::access_list::AccessList;
use crate::app::App;
use crate::caller::Caller;
use crate::command::{Request, Session};
use crate::config::{FailSafe, Limits};
use crate::id::ObjectId;
use crate::key_use::{Use, Uses};
use crate::policy;
use crate::state::State;
use aftermath::Aftermath;
use change::Note;
use database::Database;
use history::Archive;
pub use writer::Done;
use writer::{Deed, Job, Writer};

/// The longest comment of an entry.
pub const LONGEST_COMMENT_BYTES: usize = 1024;

/// The longest name of an app.
pub const LONGEST_NAME_BYTES: usize = 64;

/// How many API keys there may be.
const MOST_KEYS: usize = 200;

/// How many entries the access list of an API key may have.
const MOST_KEY_SOURCES: usize = 200;

/// How many sessions of an API key there may be; another one ends the oldest.
const MOST_SESSIONS_A_KEY: usize = 1000;

/// How many access tokens of a session may be good at a time; another one
/// ends the oldest.
const MOST_ACCESS_TOKENS: usize = 32;

/// How many changes may wait for the writer.
const QUEUE: usize = 64;

/// The way to the store. Cheap to clone; the store closes with its last one.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    state: watch::Receiver<Arc<State>>,
    fail_safe: Arc<[FailSafe]>,
    archive: Arc<Archive>,
    uses: Arc<Mutex<Uses>>,
}

/// The end of an opened store: its database is closed, and whole without its
/// journal, when the last handle is gone and this has been waited for.
#[derive(Debug)]
pub struct Closing(oneshot::Receiver<()>);

impl Closing {
    /// Waits until the database is closed.
    pub async fn closed(self) {
        // Nothing is ever sent: the other end goes with the thread.
        let _ = self.0.await;
    }
}

/// Refuses to begin with an empty state where a filter is in force already.
pub fn refuse_to_begin(directory: &Path) -> Result<(), OpenError> {
    let path = directory.join(directory::DATABASE);
    // Of a journal alone it is told when the store is opened.
    let is_there = path.exists() || database::filled_journal(directory).is_some();
    if is_there { Ok(()) } else { Err(OpenError::Missing { path }) }
}

/// Refuses to put a state without apps in the place of a later one.
pub fn refuse_emptied(directory: &Path, state: &State, in_force: u64) -> Result<(), OpenError> {
    let saved = state.revision;
    if state.apps.is_empty() && saved < in_force {
        let path = directory.join(directory::DATABASE);
        return Err(OpenError::Emptied { path, saved, in_force });
    }
    Ok(())
}

/// Opens the database in a directory, or makes both, and starts the writer.
///
/// Call it before anything else is changed: it fails when another daemon uses
/// the directory.
pub fn open(
    directory: &Path,
    limits: Limits,
    fail_safe: Vec<FailSafe>,
) -> Result<(Handle, Closing), OpenError> {
    let lock = directory::claim(directory)?;
    let Database { connection, second, reader, loaded } = database::open(directory)?;
    let aftermath = Aftermath::start(second).map_err(|source| OpenError::Thread { source })?;
    let (publish, state) = watch::channel(Arc::new(loaded.state));
    let (jobs, queue) = mpsc::channel(QUEUE);
    let fail_safe: Arc<[FailSafe]> = fail_safe.into();
    let writer = Writer {
        connection,
        directory: directory.to_owned(),
        next_number: loaded.next_number,
        seal: loaded.seal,
        limits,
        fail_safe: Arc::clone(&fail_safe),
        publish,
        rows_since_checkpoint: 0,
        aftermath,
        _lock: lock,
    };
    let (running, ended) = oneshot::channel::<()>();
    let work = move || {
        let _running = running;
        writer.run(queue);
    };
    std::thread::Builder::new()
        .name("store".to_owned())
        .spawn(work)
        .map_err(|source| OpenError::Thread { source })?;
    let uses = Arc::new(Mutex::new(Uses::new(loaded.uses)));
    let archive = Arc::new(Archive::new(reader));
    Ok((Handle { jobs, state, fail_safe, archive, uses }, Closing(ended)))
}

impl Handle {
    /// The latest committed state.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// Follows the committed states.
    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.state.clone()
    }

    /// Whether the latest state lets a session's packets in.
    pub fn admits(&self, session: &Session) -> bool {
        policy::admits(&self.state(), &self.fail_safe, session)
    }

    /// Carries a change out. What is answered is durable; the revision is the
    /// one that holds it, also when there was nothing to change.
    pub async fn execute(&self, request: Request) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .send(Job::Change(Box::new(request), reply))
            .await
            .map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Writes into the audit log that somebody did something to the host that
    /// is no change of the state.
    pub async fn note_deed(
        &self,
        caller: Caller,
        reason: String,
        action: &'static str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let note = Note { subject: "host".to_owned(), detail: detail.to_owned() };
        let (reply, answer) = oneshot::channel();
        let deed = Box::new(Deed { caller, reason, action, note });
        self.jobs.send(Job::Note(deed, reply)).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Notes that an API key, or an entry of its list, let somebody in. It is
    /// kept in memory until it is saved.
    pub fn note_use(&self, id: ObjectId, now: i64, address: Option<IpAddr>) {
        self.uses().note(id, now, address);
    }

    /// What is known of the use of an API key, or of an entry of its list.
    pub fn use_of(&self, id: ObjectId) -> Option<Use> {
        self.uses().of(id)
    }

    /// Saves what is known of the use of API keys.
    pub async fn save_uses(&self) -> Result<(), StoreError> {
        let state = self.state();
        let unwritten = {
            let mut uses = self.uses();
            uses.keep(|id| state.has_key_or_source(id));
            uses.take_unwritten()
        };
        if unwritten.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::NoteUses(unwritten, reply)).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Versions of a list, latest first, those before one if it is given.
    pub async fn versions(
        &self,
        app: Arc<App>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Version>, StoreError> {
        self.consult(move |archive| archive.versions(&app, before, limit)).await
    }

    /// A list of the latest state as it was at an earlier version.
    pub async fn list_at(&self, app: Arc<App>, version: u64) -> Result<AccessList, StoreError> {
        self.consult(move |archive| archive.list_at(&app, version)).await
    }

    /// Lines of the audit log, latest first, those before one if it is given.
    pub async fn audit(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditLine>, StoreError> {
        self.consult(move |archive| archive.audit(before, limit)).await
    }

    async fn consult<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Archive) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let archive = Arc::clone(&self.archive);
        tokio::task::spawn_blocking(move || question(&archive))
            .await
            .map_err(|_| StoreError::Stopped)?
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the state: it may hold a million entries.
        let revision = self.state.borrow().revision;
        f.debug_struct("Handle").field("revision", &revision).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
