//! The closed set of changes: what every front end builds and the store
//! carries out.

mod key;
mod outcome;

use std::net::SocketAddr;

pub use key::{KeyCommand, KeyOutcome, NewKey, NewKeySource};
pub use outcome::{AppChange, AppVerb, ListChange, Outcome};

use crate::access_list::{Address, EntryFields, Prefix};
use crate::app::{App, Mode, ProxySettings, Scope};
use crate::caller::Caller;
use crate::id::ObjectId;
use crate::origin::Origin;

/// A change, who asks for it, and on what terms.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to do.
    pub command: Command,
    /// Who asks.
    pub caller: Caller,
    /// On what terms.
    pub terms: Terms,
}

/// What has to hold for a change to be made.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The caller's own session: a change that would cut it is refused.
    pub protect: Option<Session>,
    /// The version that the list must have before the change; of a change of
    /// a group's apps, the revision of the state.
    pub expected: Option<u64>,
    /// Why, in the caller's words, possibly empty; kept with the version.
    pub reason: String,
    /// Work it out and check it, and change nothing.
    pub dry_run: bool,
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
    /// Changes an app.
    UpdateApp {
        /// Which one.
        app: AppRef,
        /// What is to be different.
        fields: AppFields,
    },
    /// Changes single origins of an app.
    EditOrigins {
        /// Of which one.
        app: AppRef,
        /// Those to add; one that is listed stays as it is.
        add: Vec<Origin>,
        /// Those to take off; each must be listed.
        remove: Vec<Origin>,
    },
    /// Removes an app with its list and the list's history.
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
    /// Changes an entry in its place.
    UpdateEntry {
        /// On which list.
        app: AppRef,
        /// Which one.
        entry: ObjectId,
        /// The new address; the old one stays if there is none.
        address: Option<Address>,
        /// What else is to be different.
        fields: EntryFields,
    },
    /// Takes an entry off.
    DeleteEntry {
        /// From which list.
        app: AppRef,
        /// Which one.
        entry: ObjectId,
    },
    /// Adds many entries as one change.
    ImportEntries {
        /// To which list.
        app: AppRef,
        /// What they are.
        import: Import,
    },
    /// Makes a list what it was at an earlier version.
    RestoreList {
        /// Which list.
        app: AppRef,
        /// The version.
        version: u64,
    },
    /// Takes the entries off a list whose end has passed.
    DropExpired {
        /// From which list.
        app: AppRef,
    },
    /// Makes the apps of a group what is written of them, as one change.
    Apply {
        /// The owner.
        group: ObjectId,
        /// What is to be.
        apps: Vec<DesiredApp>,
        /// Delete the group's other apps.
        prune: bool,
    },
    /// Changes what holds for the whole host; what is `None` stays.
    UpdateSettings {
        /// DHCP answers pass.
        dhcp: Option<bool>,
        /// Frames that are not IP pass.
        non_ip: Option<bool>,
    },
    /// Changes API keys, or who is logged in with them.
    Key(KeyCommand),
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
    /// What it is; it needs a name.
    pub fields: AppFields,
    /// The first entries of its list.
    pub entries: Vec<NewEntry>,
}

/// An app as a file describes it.
#[derive(Clone, Debug)]
pub struct DesiredApp {
    /// Its name, by which it is found.
    pub name: String,
    /// What else is said of it.
    pub fields: AppFields,
    /// The whole of its list, and of each entry; the list stays as it is if
    /// nothing is said.
    pub entries: Option<Vec<NewEntry>>,
}

/// What may be said of an app; what is `None` stays as it is, or is as a new
/// app has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppFields {
    /// Starts with a letter; ASCII letters, digits, `_` and `-`.
    pub name: Option<String>,
    /// What a refusal does.
    pub mode: Option<Mode>,
    /// Which packets belong to it: all of its scopes.
    pub scopes: Option<Vec<Scope>>,
    /// Sources that pass before the list: all of them.
    pub trusted_hops: Option<Vec<Prefix>>,
    /// Allowed request origins: all of them.
    pub origins: Option<Vec<Origin>>,
    /// Upgrades and unsafe methods need an origin.
    pub require_origin: Option<bool>,
    /// What the proxy does for it: all of it.
    pub proxy: Option<ProxySettings>,
}

/// An entry to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The address as typed.
    pub address: Address,
    /// What is said of it.
    pub fields: EntryFields,
}

/// Many entries to be.
#[derive(Clone, Debug)]
pub struct Import {
    /// What they are. What is already listed stays as it is.
    pub entries: Vec<NewEntry>,
    /// Take off what is not among them, and make what is listed what is said of
    /// it.
    pub replace: bool,
    /// Refuse to take more of the list off than this share of it.
    pub shrink_guard_percent: Option<u8>,
}

impl Command {
    /// What it is called in the history and in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::CreateApp { .. } => "app.create",
            Self::UpdateApp { .. } => "app.update",
            Self::EditOrigins { .. } => "app.origins",
            Self::DeleteApp { .. } => "app.delete",
            Self::CreateEntry { .. } => "entry.create",
            Self::UpdateEntry { .. } => "entry.update",
            Self::DeleteEntry { .. } => "entry.delete",
            Self::ImportEntries { .. } => "list.import",
            Self::RestoreList { .. } => "list.restore",
            Self::DropExpired { .. } => "list.expire",
            Self::Apply { .. } => "apply",
            Self::UpdateSettings { .. } => "settings.update",
            Self::Key(command) => command.action(),
        }
    }

    /// The one app that it is about, if it is about one that there is.
    pub fn app(&self) -> Option<AppRef> {
        match self {
            Self::UpdateApp { app, .. }
            | Self::EditOrigins { app, .. }
            | Self::DeleteApp { app }
            | Self::CreateEntry { app, .. }
            | Self::UpdateEntry { app, .. }
            | Self::DeleteEntry { app, .. }
            | Self::ImportEntries { app, .. }
            | Self::RestoreList { app, .. }
            | Self::DropExpired { app } => Some(*app),
            Self::CreateApp { .. }
            | Self::Apply { .. }
            | Self::UpdateSettings { .. }
            | Self::Key(_) => None,
        }
    }

    /// Whether it asks nothing of the kernel.
    pub fn is_in_force_when_saved(&self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// Whether the audit log tells of it.
    pub fn is_audited(&self) -> bool {
        if let Self::Key(command) = self { command.is_audited() } else { true }
    }
}

impl NewEntry {
    /// An entry of which nothing is said but its address.
    pub fn new(address: Address) -> Self {
        Self { address, fields: EntryFields::default() }
    }

    /// What a new app's list holds when nothing else is said: everybody, in
    /// both families.
    pub fn everywhere() -> Vec<Self> {
        ["0.0.0.0/0", "::/0"]
            .map(|text| Address::parse(text).expect("all of a family is an address"))
            .map(Self::new)
            .into()
    }
}

impl AppFields {
    /// Everything that can be said of an app.
    pub fn of(app: &App) -> Self {
        Self {
            name: Some(app.name.clone()),
            mode: Some(app.mode),
            scopes: Some(app.scopes.clone()),
            trusted_hops: Some(app.trusted_hops.clone()),
            origins: Some(app.origins.clone()),
            require_origin: Some(app.require_origin),
            proxy: Some(app.proxy.clone()),
        }
    }

    /// Puts what is said into an app.
    pub fn apply(self, app: &mut App) {
        app.name = self.name.unwrap_or_else(|| app.name.clone());
        app.mode = self.mode.unwrap_or(app.mode);
        put(&mut app.scopes, self.scopes);
        put(&mut app.trusted_hops, self.trusted_hops);
        put(&mut app.origins, self.origins);
        app.require_origin = self.require_origin.unwrap_or(app.require_origin);
        put(&mut app.proxy, self.proxy);
    }
}

fn put<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

impl AppRef {
    /// The app that a state has there.
    pub fn of(app: &App) -> Self {
        Self { group: app.group, app: app.id }
    }
}
