//! What a command comes to: the rows in which the states before and after it
//! differ. Memory and disk are both made from these rows. Changes nothing
//! itself.
//!
//! A change of one entry costs what the entry costs, however long its list.

use std::sync::Arc;

use filter_common::generation::MAX_APPS;

use super::error::StoreError;
use super::fresh::{self, Fresh};
use crate::access_list::{AccessList, Address, Comparison, Entry, ListError};
use crate::app::App;
use crate::command::{AppRef, Command, NewApp, NewEntry, Outcome};
use crate::config::Limits;
use crate::id::ObjectId;
use crate::state::{Settings, State};

/// What a command comes to.
pub(super) struct Change {
    /// Where the states differ; empty when at most the settings do.
    pub(super) rows: Vec<Row>,
    /// The settings after it.
    pub(super) settings: Settings,
    /// What the caller is told.
    pub(super) outcome: Outcome,
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
}

impl Change {
    /// How many rows of the database it touches.
    pub(super) fn count(&self) -> usize {
        let count = |row: &Row| match row {
            Row::App { .. } | Row::Replaced { .. } => 1,
            Row::Added { entries, .. } | Row::Removed { entries, .. } => entries.len(),
        };
        self.rows.iter().map(count).sum()
    }
}

/// Works a command out.
pub(super) fn work_out(
    before: &State,
    command: Command,
    limits: &Limits,
    fresh: Fresh,
) -> Result<Change, StoreError> {
    let mut draft = Draft { before, rows: Vec::new(), settings: before.settings, limits, fresh };
    let outcome = draft.carry_out(command)?;
    let Draft { rows, settings, fresh, .. } = draft;
    Ok(Change { rows, settings, outcome, next_number: fresh.next_number })
}

struct Draft<'a> {
    before: &'a State,
    rows: Vec<Row>,
    settings: Settings,
    limits: &'a Limits,
    fresh: Fresh,
}

impl Draft<'_> {
    fn carry_out(&mut self, command: Command) -> Result<Outcome, StoreError> {
        match command {
            Command::CreateApp { group, app } => self.create_app(group, app),
            Command::UpdateApp { app, name, mode, scopes, trusted_hops } => {
                let old = self.app(app)?;
                let mut new = App::clone(&old);
                new.name = name.unwrap_or(new.name);
                new.mode = mode.unwrap_or(new.mode);
                new.scopes = scopes.unwrap_or(new.scopes);
                new.trusted_hops = trusted_hops.unwrap_or(new.trusted_hops);
                self.update_app(old, new)
            }
            Command::DeleteApp { app } => self.delete_app(app),
            Command::CreateEntry { app, entry } => self.create_entry(app, entry),
            Command::UpdateEntry { app, entry, address, comment } => {
                self.update_entry(app, entry, address, comment)
            }
            Command::DeleteEntry { app, entry } => self.delete_entry(app, entry),
            Command::ImportEntries { app, entries, replace } => self.import(app, entries, replace),
            Command::UpdateSettings { dhcp, non_ip } => {
                let settings = &mut self.settings;
                settings.dhcp = dhcp.unwrap_or(settings.dhcp);
                settings.non_ip = non_ip.unwrap_or(settings.non_ip);
                Ok(Outcome::Settings(*settings))
            }
        }
    }

    fn create_app(&mut self, group: ObjectId, new: NewApp) -> Result<Outcome, StoreError> {
        self.refuse_unknown_group(group)?;
        self.refuse_bad_name(group, &new.name)?;
        let places = u32::try_from(MAX_APPS).expect("a kernel table has fewer than 2^32 places");
        let count = self.before.apps.len();
        let index = fresh::app_index(self.before, places).filter(|_| count < self.limits.apps);
        let index = index.ok_or(StoreError::LimitExceeded {
            what: "apps",
            count: count + 1,
            limit: self.limits.apps,
            remedy: "delete an app, or raise limits.apps in filterd.toml",
        })?;
        self.refuse_too_many_entries(new.entries.len())?;
        let app = Arc::new(App {
            id: self.fresh.id()?,
            client_app_id: fresh::client_app_id(self.before, &new.name),
            name: new.name,
            group,
            index,
            mode: new.mode,
            scopes: new.scopes,
            trusted_hops: new.trusted_hops,
            list: AccessList::default(),
            last_modified: self.fresh.now,
        });
        self.rows.push(Row::App { old: None, new: Some(Arc::clone(&app)) });
        self.add(Arc::clone(&app), new.entries)?;
        Ok(Outcome::App(app))
    }

    fn update_app(&mut self, old: Arc<App>, new: App) -> Result<Outcome, StoreError> {
        let same = new.name == old.name
            && new.mode == old.mode
            && new.scopes == old.scopes
            && new.trusted_hops == old.trusted_hops;
        if same {
            return Ok(Outcome::App(old));
        }
        if new.name != old.name {
            self.refuse_bad_name(new.group, &new.name)?;
        }
        Ok(Outcome::App(self.put_app(old, new)))
    }

    fn delete_app(&mut self, app: AppRef) -> Result<Outcome, StoreError> {
        let app = self.app(app)?;
        self.rows.push(Row::App { old: Some(Arc::clone(&app)), new: None });
        let entries = app.list.entries().cloned().collect();
        self.rows.push(Row::Removed { app, entries });
        Ok(Outcome::Deleted)
    }

    fn create_entry(&mut self, app: AppRef, new: NewEntry) -> Result<Outcome, StoreError> {
        let app = self.app(app)?;
        self.refuse_too_many_entries(app.list.len() + 1)?;
        self.touch(&app);
        let entry = Arc::new(self.entry(new)?);
        self.rows.push(Row::Added { app, entries: vec![Arc::clone(&entry)] });
        Ok(Outcome::Entry(entry))
    }

    fn update_entry(
        &mut self,
        app: AppRef,
        id: ObjectId,
        address: Option<Address>,
        comment: Option<String>,
    ) -> Result<Outcome, StoreError> {
        let app = self.app(app)?;
        let old = Arc::clone(app.list.entry(id).ok_or(ListError::UnknownEntry(id))?);
        let mut new = Entry::clone(&old);
        new.address = address.unwrap_or(new.address);
        new.comment = comment.map_or(new.comment, String::into_boxed_str);
        if new == *old {
            return Ok(Outcome::Entry(old));
        }
        refuse_long_comment(&new.comment)?;
        self.touch(&app);
        let new = Arc::new(new);
        self.rows.push(Row::Replaced { app, old, new: Arc::clone(&new) });
        Ok(Outcome::Entry(new))
    }

    fn delete_entry(&mut self, app: AppRef, id: ObjectId) -> Result<Outcome, StoreError> {
        let app = self.app(app)?;
        let gone = Arc::clone(app.list.entry(id).ok_or(ListError::UnknownEntry(id))?);
        self.touch(&app);
        self.rows.push(Row::Removed { app, entries: vec![gone] });
        Ok(Outcome::Deleted)
    }

    /// Entries are taken in their order: one whose prefix is listed by then,
    /// by an earlier one of the same import too, changes nothing.
    fn import(
        &mut self,
        app: AppRef,
        mut entries: Vec<NewEntry>,
        replace: bool,
    ) -> Result<Outcome, StoreError> {
        let app = self.app(app)?;
        let offered = entries.len();
        let comparison = Comparison::new(&app.list, entries.iter().map(|e| e.address.prefix()));
        let mut is_new = comparison.is_new().iter();
        entries.retain(|_| is_new.next() == Some(&true));
        let gone = if replace { comparison.missing() } else { Vec::new() };
        let (added, removed) = (entries.len(), gone.iter().map(Vec::len).sum());
        self.refuse_too_many_entries(app.list.len() - removed + added)?;
        if added + removed > 0 {
            self.touch(&app);
            for entries in gone {
                self.rows.push(Row::Removed { app: Arc::clone(&app), entries });
            }
            self.add(app, entries)?;
        }
        Ok(Outcome::Imported { added, removed, unchanged: offered - added })
    }

    fn app(&self, app: AppRef) -> Result<Arc<App>, StoreError> {
        self.refuse_unknown_group(app.group)?;
        let found = self.before.apps.get(&app.app).filter(|found| found.group == app.group);
        found.cloned().ok_or(StoreError::AppNotFound(app.app))
    }

    fn entry(&mut self, new: NewEntry) -> Result<Entry, StoreError> {
        refuse_long_comment(&new.comment)?;
        let id = self.fresh.id()?;
        Ok(Entry { id, address: new.address, comment: new.comment.into() })
    }

    fn add(&mut self, app: Arc<App>, new: Vec<NewEntry>) -> Result<(), StoreError> {
        let entries = new.into_iter().map(|entry| self.entry(entry).map(Arc::new));
        let entries = entries.collect::<Result<_, _>>()?;
        self.rows.push(Row::Added { app, entries });
        Ok(())
    }

    fn put_app(&mut self, old: Arc<App>, mut new: App) -> Arc<App> {
        new.last_modified = self.fresh.now;
        let new = Arc::new(new);
        self.rows.push(Row::App { old: Some(old), new: Some(Arc::clone(&new)) });
        new
    }

    /// A change of its list changes the app too.
    fn touch(&mut self, app: &Arc<App>) {
        self.put_app(Arc::clone(app), App::clone(app));
    }

    fn refuse_unknown_group(&self, group: ObjectId) -> Result<(), StoreError> {
        let known = self.before.groups.contains_key(&group);
        if known { Ok(()) } else { Err(StoreError::GroupNotFound(group)) }
    }

    fn refuse_bad_name(&self, group: ObjectId, name: &str) -> Result<(), StoreError> {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts_well || !name.chars().all(letters) || name.len() > super::LONGEST_NAME_BYTES {
            return Err(StoreError::InvalidName(name.to_owned()));
        }
        match self.before.apps.values().find(|app| app.group == group && app.name == name) {
            None => Ok(()),
            Some(app) => Err(StoreError::AppAlreadyExists {
                name: name.to_owned(),
                client_app_id: app.client_app_id.clone(),
            }),
        }
    }

    fn refuse_too_many_entries(&self, count: usize) -> Result<(), StoreError> {
        if count <= self.limits.entries {
            return Ok(());
        }
        Err(StoreError::LimitExceeded {
            what: "entries",
            count,
            limit: self.limits.entries,
            remedy: "take entries off, join addresses to a CIDR, or raise limits.entries in filterd.toml",
        })
    }
}

fn refuse_long_comment(comment: &str) -> Result<(), StoreError> {
    if comment.len() <= super::LONGEST_COMMENT_BYTES {
        Ok(())
    } else {
        Err(StoreError::CommentTooLong(comment.len()))
    }
}
