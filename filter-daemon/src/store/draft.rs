//! Works a command out against the state before it.
//!
//! A change of one entry costs what the entry costs, however long its list.
//! Does no IO but by the way it is given to earlier versions of a list.

mod apps;
mod declared;
mod keys;
mod lists;
mod refusals;

use std::sync::Arc;

use super::change::{Change, Note, Row, Versioned};
use super::error::StoreError;
use super::fresh::Fresh;
use crate::access_list::AccessList;
use crate::app::App;
use crate::caller::Caller;
use crate::command::{AppRef, Command, ListChange, Outcome};
use crate::config::Limits;
use crate::state::{Settings, State};

/// What a command is worked out with.
pub(super) struct Circumstances<'a> {
    /// The state before it.
    pub(super) before: &'a State,
    /// What may be at most.
    pub(super) limits: &'a Limits,
    /// New numbers, and the time.
    pub(super) fresh: Fresh,
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// A list as it was at an earlier version.
    pub(super) past: &'a dyn Fn(&App, u64) -> Result<AccessList, StoreError>,
}

/// Works a command out.
pub(super) fn work_out(
    circumstances: Circumstances<'_>,
    command: Command,
) -> Result<Change, StoreError> {
    let settings = circumstances.before.settings;
    let mut draft = Draft {
        circumstances,
        rows: Vec::new(),
        versions: Vec::new(),
        settings,
        note: Note::default(),
    };
    let outcome = draft.carry_out(command)?;
    let Draft { circumstances, rows, versions, settings, note } = draft;
    let next_number = circumstances.fresh.next_number;
    Ok(Change { rows, versions, settings, outcome, note, next_number })
}

struct Draft<'a> {
    circumstances: Circumstances<'a>,
    rows: Vec<Row>,
    versions: Vec<Versioned>,
    settings: Settings,
    note: Note,
}

impl Draft<'_> {
    fn carry_out(&mut self, command: Command) -> Result<Outcome, StoreError> {
        match command {
            Command::CreateApp { group, app } => self.create_app(group, app).map(Outcome::App),
            Command::UpdateApp { app, fields } => self.update_app(app, fields).map(Outcome::App),
            Command::EditOrigins { app, add, remove } => {
                self.edit_origins(app, add, &remove).map(Outcome::App)
            }
            Command::DeleteApp { app } => self.delete_app(app).map(|_| Outcome::Deleted),
            Command::CreateEntry { app, entry } => {
                self.create_entry(app, entry).map(Outcome::Entry)
            }
            Command::UpdateEntry { app, entry, address, fields } => {
                self.update_entry(app, entry, address, fields).map(Outcome::Entry)
            }
            Command::DeleteEntry { app, entry } => {
                self.delete_entry(app, entry).map(|()| Outcome::Deleted)
            }
            Command::ImportEntries { app, import } => {
                let app = self.app(app)?;
                self.import(&app, import).map(Outcome::List)
            }
            Command::RestoreList { app, version } => self.restore(app, version).map(Outcome::List),
            Command::DropExpired { app } => self.drop_expired(app).map(Outcome::List),
            Command::Apply { group, apps, prune } => {
                self.apply(group, apps, prune).map(Outcome::Applied)
            }
            Command::UpdateSettings { dhcp, non_ip } => {
                let settings = &mut self.settings;
                settings.dhcp = dhcp.unwrap_or(settings.dhcp);
                settings.non_ip = non_ip.unwrap_or(settings.non_ip);
                let settings = *settings;
                let passes = |passes| if passes { "pass" } else { "drop" };
                self.note("host", || {
                    format!("dhcp {}, non-IP {}", settings.dhcp, passes(settings.non_ip))
                });
                Ok(Outcome::Settings(settings))
            }
            Command::Key(command) => self.change_keys(command).map(Outcome::Key),
        }
    }

    fn app(&self, app: AppRef) -> Result<Arc<App>, StoreError> {
        self.refuse_unknown_group(app.group)?;
        let found = self.circumstances.before.apps.get(&app.app);
        let found = found.filter(|found| found.group == app.group);
        found.cloned().ok_or(StoreError::AppNotFound(app.app))
    }

    fn put_app(&mut self, old: Arc<App>, mut new: App) -> Arc<App> {
        new.last_modified = self.circumstances.fresh.now;
        let new = Arc::new(new);
        self.rows.push(Row::App { old: Some(old), new: Some(Arc::clone(&new)) });
        new
    }

    /// A change of its list changes the app too: it gets a new version.
    fn touch(&mut self, app: &Arc<App>, mut change: ListChange) -> (Arc<App>, ListChange) {
        let mut new = App::clone(app);
        new.list.version += 1;
        change.version = new.list.version;
        let new = self.put_app(Arc::clone(app), new);
        self.versions.push(Versioned { app: Arc::clone(&new), change: change.clone() });
        (new, change)
    }

    /// Tells the audit log; what is told first is the whole of it.
    fn note(&mut self, subject: &str, detail: impl FnOnce() -> String) {
        if self.note.subject.is_empty() {
            self.note = Note { subject: subject.to_owned(), detail: detail() };
        }
    }
}
