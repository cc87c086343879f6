//! What a command did, or would do.

use std::sync::Arc;

use super::KeyOutcome;
use crate::access_list::Entry;
use crate::app::App;
use crate::state::Settings;

/// What a command did, or would do.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The app as it is now.
    App(Arc<App>),
    /// The entry as it is now.
    Entry(Arc<Entry>),
    /// What was named is gone.
    Deleted,
    /// What became of a list.
    List(ListChange),
    /// What became of a group's apps.
    Applied(Vec<AppChange>),
    /// The settings as they are now.
    Settings(Settings),
    /// What became of API keys, or of who is logged in with them.
    Key(KeyOutcome),
}

/// What many changes of a list came to.
#[derive(Clone, Debug, Default)]
pub struct ListChange {
    /// The list's version now.
    pub version: u64,
    /// Entries that are new.
    pub added: Vec<Arc<Entry>>,
    /// Entries that were taken off.
    pub removed: Vec<Arc<Entry>>,
    /// Entries that are different from before.
    pub changed: Vec<Arc<Entry>>,
    /// How many of those that were offered are as they were.
    pub unchanged: usize,
}

/// What applying a file comes to for one app.
#[derive(Clone, Debug)]
pub struct AppChange {
    /// The app, as it is or as it was.
    pub app: Arc<App>,
    /// What becomes of the app itself.
    pub verb: AppVerb,
    /// What is said of it that is new, beside its list.
    pub detail: String,
    /// What becomes of its list.
    pub list: ListChange,
}

/// What becomes of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppVerb {
    /// It is made.
    Create,
    /// It is changed, beside its list.
    Update,
    /// It stays as it is, beside its list.
    Keep,
    /// It is deleted.
    Delete,
}

impl AppVerb {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Keep => "keep",
            Self::Delete => "delete",
        }
    }
}

impl Outcome {
    /// The app, if it is one.
    pub fn into_app(self) -> Option<Arc<App>> {
        if let Self::App(app) = self { Some(app) } else { None }
    }

    /// The entry, if it is one.
    pub fn into_entry(self) -> Option<Arc<Entry>> {
        if let Self::Entry(entry) = self { Some(entry) } else { None }
    }

    /// The change of a list, if it is one.
    pub fn into_list(self) -> Option<ListChange> {
        if let Self::List(change) = self { Some(change) } else { None }
    }

    /// The changes of apps, if it is them.
    pub fn into_applied(self) -> Option<Vec<AppChange>> {
        if let Self::Applied(changes) = self { Some(changes) } else { None }
    }

    /// The settings, if it is them.
    pub fn into_settings(self) -> Option<Settings> {
        if let Self::Settings(settings) = self { Some(settings) } else { None }
    }

    /// What became of API keys and sessions, if it is that.
    pub fn into_key(self) -> Option<KeyOutcome> {
        if let Self::Key(outcome) = self { Some(outcome) } else { None }
    }
}
