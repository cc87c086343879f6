//! Forgets the hits of entries that no list has any more.
//!
//! Looks only when something has changed, on a thread of its own, at the
//! entries that were hit and not at those that are listed. Never takes hits
//! from an entry that is listed: the lists are read after the hits, and a
//! number is never given twice.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::datapath::{DatapathError, HitTable};
use crate::state::State;

/// Sweeps the hits, one sweep at a time.
#[derive(Default)]
pub(super) struct HitSweep {
    running: Option<JoinHandle<()>>,
    /// The revision that the last sweep was started for.
    revision: Option<u64>,
}

impl HitSweep {
    /// Starts a sweep if the state has changed since the last one.
    pub(super) fn start(&mut self, hits: &HitTable, state: &watch::Receiver<Arc<State>>) {
        let revision = Some(state.borrow().revision);
        let is_running = self.running.as_ref().is_some_and(|running| !running.is_finished());
        if is_running || revision == self.revision {
            return;
        }
        self.revision = revision;
        let (hits, state) = (hits.clone(), state.clone());
        self.running = Some(spawn_blocking(move || {
            if let Err(error) = sweep(&hits, &state) {
                tracing::warn!(%error, "cannot forget the hits of entries that are gone");
            }
        }));
    }
}

fn sweep(hits: &HitTable, state: &watch::Receiver<Arc<State>>) -> Result<(), DatapathError> {
    let mut entries = hits.entries()?;
    let state = Arc::clone(&state.borrow());
    for app in state.apps.values() {
        entries.retain(|entry| app.list.entry_of_number(*entry).is_none());
    }
    hits.forget(&entries)
}
