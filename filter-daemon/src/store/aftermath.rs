//! What is left to do once a change has its answer, on a thread and a
//! connection of its own, so that no caller waits for it: the last copy of a
//! long list is freed, and the journal is moved into the database.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::priority::{Patience, give_way};
use crate::state::State;

enum Chore {
    Free(Arc<State>),
    Checkpoint,
}

/// The way to the thread; it ends with the value.
pub(super) struct Aftermath {
    chores: Option<mpsc::Sender<Chore>>,
    thread: Option<JoinHandle<()>>,
}

impl Aftermath {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (chores, queue) = mpsc::channel();
        let work = move || {
            give_way(Patience::Some);
            for chore in queue {
                match chore {
                    Chore::Free(state) => drop(state),
                    Chore::Checkpoint => {
                        move_journal(&connection, "PRAGMA wal_checkpoint(PASSIVE)");
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("aftermath".to_owned()).spawn(work)?;
        Ok(Self { chores: Some(chores), thread: Some(thread) })
    }

    /// Lets go of a state.
    pub(super) fn free(&self, state: Arc<State>) {
        self.send(Chore::Free(state));
    }

    /// Moves the journal into the database.
    pub(super) fn checkpoint(&self) {
        self.send(Chore::Checkpoint);
    }

    fn send(&self, chore: Chore) {
        // Without the thread, states are freed here and the journal grows.
        let _ = self.chores.as_ref().map(|chores| chores.send(chore));
    }
}

impl Drop for Aftermath {
    fn drop(&mut self) {
        self.chores = None;
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            tracing::error!("the thread behind the store ended in a panic");
        }
    }
}

/// Has SQLite move the journal into the database.
pub(super) fn move_journal(connection: &Connection, pragma: &str) {
    if let Err(error) = connection.query_row(pragma, [], |_| Ok(())) {
        // Nothing is lost: the journal holds it, and the next time is near.
        let path = connection.path().unwrap_or_default();
        tracing::warn!(%error, path, "the database's journal cannot be moved into it");
    }
}
