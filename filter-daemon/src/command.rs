//! The closed set of changes: what every front end builds and the store
//! carries out.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::access_list::{Address, Entry, Prefix};
use crate::app::{App, Mode, Scope};
use crate::id::ObjectId;
use crate::state::Settings;

/// A change, and what must not be cut by it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to do.
    pub command: Command,
    /// The caller's own session: a change that would cut it is refused.
    pub protect: Option<Session>,
}

/// A TCP connection that must survive a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The far end.
    pub peer: SocketAddr,
    /// The end on this host.
    pub local: SocketAddr,
}

/// Everything that changes state.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes an app.
    CreateApp {
        /// The owner.
        group: ObjectId,
        /// What it is.
        app: NewApp,
    },
    /// Changes an app; what is `None` stays.
    UpdateApp {
        /// Which one.
        app: AppRef,
        /// The new name.
        name: Option<String>,
        /// The new mode.
        mode: Option<Mode>,
        /// All of its scopes.
        scopes: Option<Vec<Scope>>,
        /// All of its trusted hops.
        trusted_hops: Option<Vec<Prefix>>,
    },
    /// Removes an app with its list.
    DeleteApp {
        /// Which one.
        app: AppRef,
    },
    /// Adds an entry.
    CreateEntry {
        /// To which list.
        app: AppRef,
        /// What it is.
        entry: NewEntry,
    },
    /// Changes an entry in its place; what is `None` stays.
    UpdateEntry {
        /// On which list.
        app: AppRef,
        /// Which one.
        entry: ObjectId,
        /// The new address.
        address: Option<Address>,
        /// The new comment.
        comment: Option<String>,
    },
    /// Takes an entry off.
    DeleteEntry {
        /// From which list.
        app: AppRef,
        /// Which one.
        entry: ObjectId,
    },
    /// Adds many entries as one change. What is already listed stays as it is.
    ImportEntries {
        /// To which list.
        app: AppRef,
        /// What they are.
        entries: Vec<NewEntry>,
        /// Take off what is not among them.
        replace: bool,
    },
    /// Changes what holds for the whole host; what is `None` stays.
    UpdateSettings {
        /// DHCP answers pass.
        dhcp: Option<bool>,
        /// Frames that are not IP pass.
        non_ip: Option<bool>,
    },
}

/// An app under its group, as a path names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppRef {
    /// The owner.
    pub group: ObjectId,
    /// The app.
    pub app: ObjectId,
}

/// An app to be.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// Starts with a letter; ASCII letters, digits, `_` and `-`.
    pub name: String,
    /// What a refusal does.
    pub mode: Mode,
    /// Which packets belong to it.
    pub scopes: Vec<Scope>,
    /// Sources that pass before the list.
    pub trusted_hops: Vec<Prefix>,
    /// The first entries of its list.
    pub entries: Vec<NewEntry>,
}

/// An entry to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The address as typed.
    pub address: Address,
    /// Free text, possibly empty.
    pub comment: String,
}

/// What a command did.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The app as it is now.
    App(Arc<App>),
    /// The entry as it is now.
    Entry(Arc<Entry>),
    /// What was named is gone.
    Deleted,
    /// What an import did to the list.
    Imported {
        /// Entries that are new.
        added: usize,
        /// Entries that were taken off.
        removed: usize,
        /// Entries that stayed.
        unchanged: usize,
    },
    /// The settings as they are now.
    Settings(Settings),
}
