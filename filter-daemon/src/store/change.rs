//! What a command comes to: the rows in which the states before and after it
//! differ. Memory and disk are both made from these rows. Changes nothing
//! itself.

use std::sync::Arc;

use crate::access_list::Entry;
use crate::app::App;
use crate::command::{ListChange, Outcome};
use crate::key::{Key, Session};
use crate::state::Settings;

/// What a command comes to.
pub(super) struct Change {
    /// Where the states differ; empty when at most the settings do.
    pub(super) rows: Vec<Row>,
    /// The lists that have a new version.
    pub(super) versions: Vec<Versioned>,
    /// The settings after it.
    pub(super) settings: Settings,
    /// What the caller is told.
    pub(super) outcome: Outcome,
    /// What the audit log is told.
    pub(super) note: Note,
    /// The next number after it.
    pub(super) next_number: u32,
}

/// Rows before and after.
pub(super) enum Row {
    /// An app but for its list, whose entries have their own rows; it is new
    /// without a before, gone without an after.
    App { old: Option<Arc<App>>, new: Option<Arc<App>> },
    /// Entries that are new, oldest first.
    Added { app: Arc<App>, entries: Vec<Arc<Entry>> },
    /// Entries that are gone, oldest first: all those of the app from the first
    /// one's number to the last one's.
    Removed { app: Arc<App>, entries: Vec<Arc<Entry>> },
    /// An entry in the place of the one with the same id.
    Replaced { app: Arc<App>, old: Arc<Entry>, new: Arc<Entry> },
    /// An API key with its access list; new or gone as an app is.
    Key { old: Option<Arc<Key>>, new: Option<Arc<Key>> },
    /// A session; new or gone as an app is.
    Session { old: Option<Arc<Session>>, new: Option<Arc<Session>> },
}

/// A list that has a new version.
pub(super) struct Versioned {
    /// The app, with the list as it was but for its version.
    pub(super) app: Arc<App>,
    /// What becomes of the list.
    pub(super) change: ListChange,
}

/// What the audit log says of a change beside who, when and why.
#[derive(Debug, Default)]
pub(super) struct Note {
    /// What was changed.
    pub(super) subject: String,
    /// How.
    pub(super) detail: String,
}

impl Change {
    /// How many rows of the database it touches.
    pub(super) fn count(&self) -> usize {
        let count = |row: &Row| match row {
            Row::App { .. } | Row::Replaced { .. } | Row::Key { .. } | Row::Session { .. } => 1,
            Row::Added { entries, .. } | Row::Removed { entries, .. } => entries.len(),
        };
        self.rows.iter().map(count).sum()
    }
}

impl Versioned {
    /// What the entries were that are gone or different, oldest first.
    pub(super) fn before(&self) -> Vec<&Arc<Entry>> {
        let list = &self.app.list;
        let changed = self.change.changed.iter().filter_map(|e| list.entry_of_number(e.number()));
        let mut before: Vec<_> = self.change.removed.iter().chain(changed).collect();
        before.sort_unstable_by_key(|entry| entry.number());
        before
    }

    /// The numbers of the entries that are new or different, rising.
    pub(super) fn after(&self) -> Vec<u32> {
        let after = self.change.added.iter().chain(&self.change.changed);
        let mut after: Vec<_> = after.map(|entry| entry.number()).collect();
        after.sort_unstable();
        after
    }

    /// How many entries the list has after it.
    pub(super) fn size(&self) -> usize {
        self.app.list.len() + self.change.added.len() - self.change.removed.len()
    }
}
