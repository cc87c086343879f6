//! The single writer: one command at a time, on a thread of its own.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::aftermath::{self, Aftermath};
use super::apply::apply;
use super::change::{Change, Note};
use super::database;
use super::directory::Lock;
use super::draft::{Circumstances, work_out};
use super::error::StoreError;
use super::fresh::Fresh;
use super::history::{self, Origin};
use super::keys::record_uses;
use super::record::{record, record_host};
use super::seal::Seal;
use crate::app::App;
use crate::caller::Caller;
use crate::command::{AppChange, AppRef, Command, Outcome, Request, Session};
use crate::config::{FailSafe, Limits};
use crate::id::ObjectId;
use crate::key_use::Use;
use crate::policy;
use crate::priority::at_length;
use crate::state::State;

/// After so many written rows the journal is moved into the database.
const ROWS_A_CHECKPOINT: usize = 512;

/// From so many rows on it pays to make the state on another thread.
const MANY_ROWS: usize = 4096;

/// Whether a state may come into being.
type Check<'a> = dyn Fn(&State) -> Result<(), StoreError> + Sync + 'a;

/// What the writer is to do, and where its answer goes.
pub(super) enum Job {
    /// A change of state.
    Change(Box<Request>, oneshot::Sender<Result<Done, StoreError>>),
    /// What somebody did that is no state: a line of the audit log.
    Note(Box<Deed>, oneshot::Sender<Result<(), StoreError>>),
    /// What is known of the use of keys, which is no state.
    NoteUses(Vec<(ObjectId, Use)>, oneshot::Sender<Result<(), StoreError>>),
}

/// What somebody did beside changing the state.
pub(super) struct Deed {
    pub(super) caller: Caller,
    pub(super) reason: String,
    pub(super) action: &'static str,
    pub(super) note: Note,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Done {
    /// What the command came to.
    pub outcome: Outcome,
    /// The revision of the state that holds it.
    pub revision: u64,
    /// Whether it made that revision; it may have found all as it is to be.
    pub is_change: bool,
    /// The version of the list that it was about; of a change of a group's
    /// apps, the revision.
    pub version: Option<u64>,
}

/// What counts the changes that a command may collide with.
#[derive(Clone, Copy)]
enum Tally {
    /// Of a list.
    List(AppRef),
    /// Of everything.
    State,
    /// It collides with none.
    None,
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
    pub(super) aftermath: Aftermath,
    pub(super) _lock: Lock,
}

impl Done {
    fn of(outcome: Outcome, state: &State, tally: Tally) -> Self {
        let version = tally.count(state);
        Self { outcome, revision: state.revision, is_change: true, version }
    }

    /// Nothing was done.
    fn without_change(outcome: Outcome, state: &State, tally: Tally) -> Self {
        Self { is_change: false, ..Self::of(outcome, state, tally) }
    }
}

impl Tally {
    fn of(command: &Command) -> Self {
        match (command, command.app()) {
            (Command::Apply { .. }, _) => Self::State,
            (_, Some(app)) => Self::List(app),
            (_, None) => Self::None,
        }
    }

    fn count(self, state: &State) -> Option<u64> {
        match self {
            Self::List(AppRef { app, .. }) => state.apps.get(&app).map(|app| app.list.version),
            Self::State => Some(state.revision),
            Self::None => None,
        }
    }

    /// Refuses a change that was made for another version.
    fn refuse_other(self, before: &State, expected: Option<u64>) -> Result<(), StoreError> {
        match (self.count(before), expected) {
            (Some(found), Some(expected)) if found != expected => Err(match self {
                Self::State => StoreError::RevisionMismatch { expected, found },
                Self::List(_) | Self::None => StoreError::VersionMismatch { expected, found },
            }),
            (_, _) => Ok(()),
        }
    }
}

/// Refuses whoever may not change anything any more: the request may have come
/// in slowly, and waited.
fn refuse_revoked(state: &State, caller: &Caller, now: i64) -> Result<(), StoreError> {
    let Some(credential) = &caller.credential else { return Ok(()) };
    let key = state.key_of(credential, now).filter(|key| !key.refuses(caller.from));
    key.map(drop).ok_or(StoreError::Revoked)
}

impl Writer {
    /// Works until the last handle is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.blocking_recv() {
            let (request, reply) = match job {
                Job::Change(request, reply) => (*request, reply),
                Job::Note(deed, reply) => {
                    let _ = reply.send(self.note(&deed));
                    continue;
                }
                Job::NoteUses(uses, reply) => {
                    let _ = reply.send(self.note_uses(uses));
                    continue;
                }
            };
            let before = Arc::clone(&self.publish.borrow());
            let answer = match may_be_long(&request.command) {
                true => at_length(|| self.execute(&before, request)),
                false => self.execute(&before, request),
            };
            if let Err(error) = &answer {
                tracing::debug!(%error, "a change was refused");
            }
            // A caller that has left does not undo what is durable.
            let _ = reply.send(answer);
            self.aftermath.free(before);
            if self.rows_since_checkpoint >= ROWS_A_CHECKPOINT {
                self.rows_since_checkpoint = 0;
                self.aftermath.checkpoint();
            }
        }
    }

    fn execute(&mut self, before: &State, request: Request) -> Result<Done, StoreError> {
        let Request { command, caller, terms } = request;
        let now = unix_seconds();
        refuse_revoked(before, &caller, now)?;
        let (touches_policy, tally) = (touches_policy(&command), Tally::of(&command));
        tally.refuse_other(before, terms.expected)?;
        let (action, is_audited) = (command.action(), command.is_audited());
        let change = self.work_out(before, command, &caller, now)?;
        if change.rows.is_empty() && change.settings == before.settings {
            return Ok(Done::without_change(change.outcome, before, tally));
        }
        let fail_safe = Arc::clone(&self.fail_safe);
        let check = |after: &State| {
            if touches_policy {
                policy::check(after)?;
            }
            terms.protect.map_or(Ok(()), |session| refuse_cut(before, after, &fail_safe, session))
        };
        if terms.dry_run {
            check(&apply(before, &change)?)?;
            return Ok(Done::without_change(change.outcome, before, tally));
        }
        let revision = before.revision + 1;
        let reason = &terms.reason;
        let origin = Origin { revision, at: now, caller: &caller, reason, action, is_audited };
        let (after, seal) = self.commit(before, &change, &origin, &check)?;
        self.seal = seal;
        self.next_number = change.next_number;
        self.rows_since_checkpoint += change.count() + 1;
        let done = Done::of(outcome(change.outcome, &after), &after, tally);
        self.publish.send_replace(Arc::new(after));
        Ok(done)
    }

    fn note(&mut self, deed: &Deed) -> Result<(), StoreError> {
        let Deed { caller, reason, action, note } = deed;
        let (revision, at) = (self.publish.borrow().revision, unix_seconds());
        let origin = Origin { revision, at, caller, reason, action, is_audited: true };
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        history::record(&transaction, &origin, &[], note, self.limits.versions)?;
        Ok(transaction.commit()?)
    }

    /// A key may have been deleted since it was used.
    fn note_uses(&mut self, mut uses: Vec<(ObjectId, Use)>) -> Result<(), StoreError> {
        let state = Arc::clone(&self.publish.borrow());
        uses.retain(|(id, _)| state.has_key_or_source(*id));
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        record_uses(&transaction, &uses)?;
        Ok(transaction.commit()?)
    }

    fn work_out(
        &self,
        before: &State,
        command: Command,
        caller: &Caller,
        now: i64,
    ) -> Result<Change, StoreError> {
        let circumstances = Circumstances {
            before,
            limits: &self.limits,
            fresh: Fresh { next_number: self.next_number, now },
            caller,
            past: &|app, version| history::list_at(&self.connection, app, version),
        };
        work_out(circumstances, command)
    }

    /// Durable when it answers well; not there when it does not.
    fn commit(
        &mut self,
        before: &State,
        change: &Change,
        origin: &Origin<'_>,
        check: &Check<'_>,
    ) -> Result<(State, Seal), StoreError> {
        match self.try_commit(before, change, origin, check) {
            Err(StoreError::Storage(cause)) if self.is_full(&cause) => {
                // The journal may hold more room than the change needs.
                self.shrink_journal();
                let again = self.try_commit(before, change, origin, check);
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

    fn try_commit(
        &mut self,
        before: &State,
        change: &Change,
        origin: &Origin<'_>,
        check: &Check<'_>,
    ) -> Result<(State, Seal), StoreError> {
        let (seal, kept_versions) = (self.seal, self.limits.versions);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let make = || {
            let after = apply(before, change)?;
            check(&after)?;
            Ok::<_, StoreError>((after, seal.after(&change.rows)))
        };
        let write = || {
            record(&transaction, &change.rows)?;
            history::record(&transaction, origin, &change.versions, &change.note, kept_versions)
        };
        let (after, seal) = if change.count() < MANY_ROWS {
            let made = make()?;
            write()?;
            made
        } else {
            // The state is made while the rows are written.
            std::thread::scope(|scope| {
                let made = scope.spawn(make);
                let written = write();
                let made = made.join().unwrap_or_else(|panic| resume_unwind(panic))?;
                written.map(|()| made).map_err(StoreError::from)
            })?
        };
        record_host(&transaction, &after, change.next_number, seal)?;
        transaction.commit()?;
        Ok((after, seal))
    }

    fn is_full(&self, cause: &rusqlite::Error) -> bool {
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            Some(ErrorCode::SystemIoFailure) => database::has_no_room(&self.directory),
            _ => false,
        }
    }

    /// Gives the journal's room back to the disk.
    fn shrink_journal(&mut self) {
        self.rows_since_checkpoint = 0;
        aftermath::move_journal(&self.connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

fn refuse_cut(
    before: &State,
    after: &State,
    fail_safe: &[FailSafe],
    session: Session,
) -> Result<(), StoreError> {
    let admitted = |state| policy::admits(state, fail_safe, &session);
    if admitted(before) && !admitted(after) {
        return Err(StoreError::WouldCutSession(session));
    }
    Ok(())
}

/// Apps that were made or changed, with their lists.
fn outcome(outcome: Outcome, after: &State) -> Outcome {
    let latest = |app: Arc<App>| after.apps.get(&app.id).cloned().unwrap_or(app);
    match outcome {
        Outcome::App(app) => Outcome::App(latest(app)),
        Outcome::Applied(changes) => {
            let changes = changes.into_iter();
            let changes = changes.map(|change| AppChange { app: latest(change.app), ..change });
            Outcome::Applied(changes.collect())
        }
        Outcome::Entry(_)
        | Outcome::Deleted
        | Outcome::List(_)
        | Outcome::Settings(_)
        | Outcome::Key(_) => outcome,
    }
}

fn may_be_long(command: &Command) -> bool {
    matches!(
        command,
        Command::ImportEntries { .. } | Command::RestoreList { .. } | Command::Apply { .. }
    )
}

/// Entries cannot make a policy that does not compile; how many fit is a
/// limit of its own.
fn touches_policy(command: &Command) -> bool {
    match command {
        Command::CreateApp { .. }
        | Command::UpdateApp { .. }
        | Command::DeleteApp { .. }
        | Command::Apply { .. } => true,
        Command::EditOrigins { .. }
        | Command::CreateEntry { .. }
        | Command::UpdateEntry { .. }
        | Command::DeleteEntry { .. }
        | Command::ImportEntries { .. }
        | Command::RestoreList { .. }
        | Command::DropExpired { .. }
        | Command::UpdateSettings { .. }
        | Command::Key(_) => false,
    }
}

fn unix_seconds() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs().cast_signed(),
        Err(before) => -before.duration().as_secs().cast_signed(),
    }
}
