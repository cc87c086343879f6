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
mod error;
mod fresh;
mod load;
mod record;
mod seal;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

pub use error::{OpenError, StoreError};

use crate::command::{Outcome, Request, Session};
use crate::config::{FailSafe, Limits};
use crate::policy;
use crate::state::State;
use aftermath::Aftermath;
use database::Database;
use writer::{Job, Writer};

/// The longest comment of an entry.
pub const LONGEST_COMMENT_BYTES: usize = 1024;

/// The longest name of an app.
pub const LONGEST_NAME_BYTES: usize = 64;

/// How many changes may wait for the writer.
const QUEUE: usize = 64;

/// The way to the store. Cheap to clone; the store closes with its last one.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    state: watch::Receiver<Arc<State>>,
    fail_safe: Arc<[FailSafe]>,
}

/// Opens the database in a directory, or makes both, and starts the writer.
///
/// Call it before anything else is changed: it fails when another daemon uses
/// the directory.
pub fn open(
    directory: &Path,
    limits: Limits,
    fail_safe: Vec<FailSafe>,
) -> Result<Handle, OpenError> {
    let lock = directory::claim(directory)?;
    let Database { connection, second, loaded } = database::open(directory)?;
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
    std::thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || writer.run(queue))
        .map_err(|source| OpenError::Thread { source })?;
    Ok(Handle { jobs, state, fail_safe })
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
    pub async fn execute(&self, request: Request) -> Result<(Outcome, u64), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { request, reply }).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
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
