//! The single writer: one command at a time, on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::change::{Change, work_out};
use super::directory::Lock;
use super::error::StoreError;
use super::fresh::Fresh;
use super::record::record;
use super::seal::{self, Seal};
use crate::command::{Command, Outcome, Request, Session};
use crate::config::{FailSafe, Limits};
use crate::policy;
use crate::state::State;

/// After so many written rows the journal is moved into the database.
const ROWS_A_CHECKPOINT: usize = 512;

/// A request and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<(Outcome, u64), StoreError>>,
}

/// Owns the connection and the latest state.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) directory: PathBuf,
    pub(super) next_number: u32,
    /// Of all rows but the host's.
    pub(super) seal: Seal,
    pub(super) limits: Limits,
    pub(super) fail_safe: Arc<[FailSafe]>,
    pub(super) publish: watch::Sender<Arc<State>>,
    pub(super) rows_since_checkpoint: usize,
    pub(super) _lock: Lock,
}

impl Writer {
    /// Works until the last handle is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(Job { request, reply }) = queue.blocking_recv() {
            // Kept until the caller has its answer: the last copy of a long
            // list takes a while to go.
            let before = Arc::clone(&self.publish.borrow());
            let answer = self.execute(&before, request);
            if let Err(error) = &answer {
                tracing::debug!(%error, "a change was refused");
            }
            // A caller that has left does not undo what is durable.
            let _ = reply.send(answer);
            self.checkpoint();
        }
    }

    fn execute(&mut self, before: &State, request: Request) -> Result<(Outcome, u64), StoreError> {
        let touches_policy = touches_policy(&request.command);
        let fresh = Fresh { next_number: self.next_number, now: unix_seconds() };
        let mut change = work_out(before, request.command, &self.limits, fresh)?;
        if change.rows.is_empty() && change.state.settings == before.settings {
            return Ok((change.outcome, before.revision));
        }
        change.state.revision = before.revision + 1;
        if touches_policy {
            policy::check(&change.state)?;
        }
        if let Some(session) = &request.protect {
            self.refuse_cut(before, &change.state, session)?;
        }
        self.seal = self.commit(before, &change)?;
        self.next_number = change.next_number;
        self.rows_since_checkpoint += change.rows.len() + 1;
        let revision = change.state.revision;
        self.publish.send_replace(Arc::new(change.state));
        Ok((change.outcome, revision))
    }

    fn refuse_cut(
        &self,
        before: &State,
        after: &State,
        session: &Session,
    ) -> Result<(), StoreError> {
        let admitted = |state| policy::admits(state, &self.fail_safe, session);
        if admitted(before) && !admitted(after) {
            return Err(StoreError::WouldCutSession(*session));
        }
        Ok(())
    }

    /// Durable when it answers well; not there when it does not.
    fn commit(&mut self, before: &State, change: &Change) -> Result<Seal, StoreError> {
        match self.try_commit(before, change) {
            Err(StoreError::Storage(cause)) if self.is_full(&cause) => {
                // The journal may hold more room than the change needs.
                self.shrink_journal();
                let again = self.try_commit(before, change);
                match again {
                    Err(StoreError::Storage(cause)) if self.is_full(&cause) => {
                        self.shrink_journal();
                        Err(StoreError::StorageFull { directory: self.directory.clone() })
                    }
                    committed => committed,
                }
            }
            committed => committed,
        }
    }

    fn try_commit(&mut self, before: &State, change: &Change) -> Result<Seal, StoreError> {
        let mut seal = self.seal;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for row in &change.rows {
            record(&transaction, row, &mut seal)?;
        }
        let State { revision, settings, .. } = change.state;
        let sealed = seal.with(seal::of_host(revision, change.next_number, settings));
        let text =
            "UPDATE host SET revision = ?1, next_number = ?2, dhcp = ?3, non_ip = ?4, seal = ?5
                    WHERE revision = ?6";
        let hosts = transaction.prepare_cached(text)?.execute(params![
            revision.cast_signed(),
            change.next_number,
            settings.dhcp,
            settings.non_ip,
            sealed.to_sql(),
            before.revision.cast_signed(),
        ])?;
        if hosts != 1 {
            return Err(StoreError::Diverged);
        }
        transaction.commit()?;
        Ok(seal)
    }

    /// SQLite says "full" for a write, but only "I/O error" when the sync or
    /// the index of the journal finds no room.
    fn is_full(&self, cause: &rusqlite::Error) -> bool {
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            Some(ErrorCode::SystemIoFailure) => nix::sys::statvfs::statvfs(&self.directory)
                .is_ok_and(|disk| disk.blocks_available() == 0),
            _ => false,
        }
    }

    /// Moves the journal into the database behind the callers' backs, so that
    /// none of them waits for it.
    fn checkpoint(&mut self) {
        if self.rows_since_checkpoint >= ROWS_A_CHECKPOINT {
            self.rows_since_checkpoint = 0;
            self.move_journal("PRAGMA wal_checkpoint(PASSIVE)");
        }
    }

    /// Gives the journal's room back to the disk.
    fn shrink_journal(&mut self) {
        self.rows_since_checkpoint = 0;
        self.move_journal("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    fn move_journal(&self, pragma: &str) {
        if let Err(error) = self.connection.query_row(pragma, [], |_| Ok(())) {
            // Nothing is lost: the journal holds it, and the next time is near.
            tracing::warn!(%error, directory = %self.directory.display(), "the database's journal cannot be moved into it");
        }
    }
}

/// Entries cannot make a policy that does not compile; how many fit is a
/// limit of its own.
fn touches_policy(command: &Command) -> bool {
    match command {
        Command::CreateApp { .. } | Command::UpdateApp { .. } | Command::DeleteApp { .. } => true,
        Command::CreateEntry { .. }
        | Command::UpdateEntry { .. }
        | Command::DeleteEntry { .. }
        | Command::ImportEntries { .. }
        | Command::UpdateSettings { .. } => false,
    }
}

fn unix_seconds() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs().cast_signed(),
        Err(before) => -before.duration().as_secs().cast_signed(),
    }
}
