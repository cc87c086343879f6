//! What a command makes of a state: the next state, and the rows in which it
//! differs. Writes nothing.
//!
//! A change of one entry costs what the entry costs, however long its list.

use std::collections::HashSet;
use std::sync::Arc;

use filter_common::generation::MAX_APPS;

use super::error::StoreError;
use super::fresh::{self, Fresh};
use crate::access_list::{AccessList, Address, Entry};
use crate::app::App;
use crate::command::{AppRef, Command, NewApp, NewEntry, Outcome};
use crate::config::Limits;
use crate::id::ObjectId;
use crate::state::State;

/// What a command comes to.
pub(super) struct Change {
    /// The state after it, still with the revision before it.
    pub(super) state: State,
    /// Where it differs; empty when at most the settings do.
    pub(super) rows: Vec<Row>,
    /// What the caller is told.
    pub(super) outcome: Outcome,
    /// The next number after it.
    pub(super) next_number: u32,
}

/// A row before and after; it is new without a before, gone without an after.
pub(super) enum Row {
    /// An app without its entries, which have their own rows.
    App { old: Option<Arc<App>>, new: Option<Arc<App>> },
    /// An entry of the app with an index.
    Entry { app_index: u32, old: Option<Arc<Entry>>, new: Option<Arc<Entry>> },
}

/// Works a command out.
pub(super) fn work_out(
    before: &State,
    command: Command,
    limits: &Limits,
    fresh: Fresh,
) -> Result<Change, StoreError> {
    let mut draft = Draft { state: before.clone(), rows: Vec::new(), limits, fresh };
    let outcome = draft.carry_out(command)?;
    let Draft { state, rows, fresh, .. } = draft;
    Ok(Change { state, rows, outcome, next_number: fresh.next_number })
}

struct Draft<'a> {
    state: State,
    rows: Vec<Row>,
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
                self.update_app(&old, new)
            }
            Command::DeleteApp { app } => self.delete_app(app),
            Command::CreateEntry { app, entry } => self.create_entry(app, entry),
            Command::UpdateEntry { app, entry, address, comment } => {
                self.update_entry(app, entry, address, comment)
            }
            Command::DeleteEntry { app, entry } => self.delete_entry(app, entry),
            Command::ImportEntries { app, entries, replace } => self.import(app, entries, replace),
            Command::UpdateSettings { dhcp, non_ip } => {
                let settings = &mut self.state.settings;
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
        let count = self.state.apps.len();
        let index = fresh::app_index(&self.state, places).filter(|_| count < self.limits.apps);
        let index = index.ok_or(StoreError::LimitExceeded {
            what: "apps",
            count: count + 1,
            limit: self.limits.apps,
            remedy: "delete an app, or raise limits.apps in filterd.toml",
        })?;
        self.refuse_too_many_entries(new.entries.len())?;
        let (_, id) = self.fresh.id()?;
        let mut list = AccessList::default();
        let mut rows = Vec::with_capacity(new.entries.len());
        for entry in new.entries {
            let entry = list.insert(self.entry(entry)?)?;
            rows.push(Row::Entry { app_index: index, old: None, new: Some(entry) });
        }
        let app = Arc::new(App {
            id,
            client_app_id: fresh::client_app_id(&self.state, &new.name),
            name: new.name,
            group,
            index,
            mode: new.mode,
            scopes: new.scopes,
            trusted_hops: new.trusted_hops,
            list,
            last_modified: self.fresh.now,
        });
        self.state.apps.insert(id, Arc::clone(&app));
        self.rows.push(Row::App { old: None, new: Some(Arc::clone(&app)) });
        self.rows.append(&mut rows);
        Ok(Outcome::App(app))
    }

    fn update_app(&mut self, old: &Arc<App>, new: App) -> Result<Outcome, StoreError> {
        let same = new.name == old.name
            && new.mode == old.mode
            && new.scopes == old.scopes
            && new.trusted_hops == old.trusted_hops;
        if same {
            return Ok(Outcome::App(Arc::clone(old)));
        }
        if new.name != old.name {
            self.refuse_bad_name(new.group, &new.name)?;
        }
        Ok(Outcome::App(self.put_app(old, new)))
    }

    fn delete_app(&mut self, app: AppRef) -> Result<Outcome, StoreError> {
        let old = self.app(app)?;
        self.state.apps.remove(&old.id);
        for entry in old.list.entries() {
            let old_entry = Some(Arc::clone(entry));
            self.rows.push(Row::Entry { app_index: old.index, old: old_entry, new: None });
        }
        self.rows.push(Row::App { old: Some(old), new: None });
        Ok(Outcome::Deleted)
    }

    fn create_entry(&mut self, app: AppRef, new: NewEntry) -> Result<Outcome, StoreError> {
        let old = self.app(app)?;
        self.refuse_too_many_entries(old.list.len() + 1)?;
        let mut list = old.list.clone();
        let entry = list.insert(self.entry(new)?)?;
        self.put_entry(&old, None, Some(Arc::clone(&entry)));
        self.put_list(&old, list);
        Ok(Outcome::Entry(entry))
    }

    fn update_entry(
        &mut self,
        app: AppRef,
        id: ObjectId,
        address: Option<Address>,
        comment: Option<String>,
    ) -> Result<Outcome, StoreError> {
        let old = self.app(app)?;
        let before = old.list.entry(id).ok_or(crate::access_list::ListError::UnknownEntry(id))?;
        let mut after = Entry::clone(before);
        after.address = address.unwrap_or(after.address);
        after.comment = comment.unwrap_or(after.comment);
        if after == **before {
            return Ok(Outcome::Entry(Arc::clone(before)));
        }
        refuse_long_comment(&after.comment)?;
        let mut list = old.list.clone();
        let after = list.replace(after)?;
        self.put_entry(&old, Some(Arc::clone(before)), Some(Arc::clone(&after)));
        self.put_list(&old, list);
        Ok(Outcome::Entry(after))
    }

    fn delete_entry(&mut self, app: AppRef, id: ObjectId) -> Result<Outcome, StoreError> {
        let old = self.app(app)?;
        let mut list = old.list.clone();
        let gone = list.remove(id)?;
        self.put_entry(&old, Some(gone), None);
        self.put_list(&old, list);
        Ok(Outcome::Deleted)
    }

    /// Entries are taken in their order: one whose prefix is listed by then,
    /// by an earlier one of the same import too, changes nothing.
    fn import(
        &mut self,
        app: AppRef,
        entries: Vec<NewEntry>,
        replace: bool,
    ) -> Result<Outcome, StoreError> {
        let old = self.app(app)?;
        let mut wanted = HashSet::with_capacity(entries.len());
        let offered = entries.len();
        let new: Vec<NewEntry> = entries
            .into_iter()
            .filter(|entry| {
                let prefix = entry.address.prefix();
                wanted.insert(prefix) && old.list.entry_of_prefix(prefix).is_none()
            })
            .collect();
        let gone: Vec<Arc<Entry>> = if replace {
            let unwanted = |entry: &&Arc<Entry>| !wanted.contains(&entry.address.prefix());
            old.list.entries().filter(unwanted).cloned().collect()
        } else {
            Vec::new()
        };
        self.refuse_too_many_entries(old.list.len() - gone.len() + new.len())?;
        let (added, removed) = (new.len(), gone.len());
        let list = self.exchange(&old, gone, new)?;
        if added + removed > 0 {
            self.put_list(&old, list);
        }
        Ok(Outcome::Imported { added, removed, unchanged: offered - added })
    }

    /// The list without what is gone and with what is new.
    fn exchange(
        &mut self,
        old: &Arc<App>,
        gone: Vec<Arc<Entry>>,
        new: Vec<NewEntry>,
    ) -> Result<AccessList, StoreError> {
        let everything = gone.len() == old.list.len();
        let mut list = if everything { AccessList::default() } else { old.list.clone() };
        self.rows.reserve(gone.len() + new.len() + 1);
        for entry in gone {
            if !everything {
                list.remove(entry.id)?;
            }
            self.put_entry(old, Some(entry), None);
        }
        for entry in new {
            let entry = list.insert(self.entry(entry)?)?;
            self.put_entry(old, None, Some(entry));
        }
        Ok(list)
    }

    fn app(&self, app: AppRef) -> Result<Arc<App>, StoreError> {
        self.refuse_unknown_group(app.group)?;
        let found = self.state.apps.get(&app.app).filter(|found| found.group == app.group);
        found.cloned().ok_or(StoreError::AppNotFound(app.app))
    }

    fn entry(&mut self, new: NewEntry) -> Result<Entry, StoreError> {
        refuse_long_comment(&new.comment)?;
        let (number, id) = self.fresh.id()?;
        Ok(Entry { id, number, address: new.address, comment: new.comment })
    }

    fn put_app(&mut self, old: &Arc<App>, mut new: App) -> Arc<App> {
        new.last_modified = self.fresh.now;
        let new = Arc::new(new);
        self.state.apps.insert(new.id, Arc::clone(&new));
        self.rows.push(Row::App { old: Some(Arc::clone(old)), new: Some(Arc::clone(&new)) });
        new
    }

    fn put_list(&mut self, old: &Arc<App>, list: AccessList) {
        let mut new = App::clone(old);
        new.list = list;
        self.put_app(old, new);
    }

    fn put_entry(&mut self, app: &App, old: Option<Arc<Entry>>, new: Option<Arc<Entry>>) {
        self.rows.push(Row::Entry { app_index: app.index, old, new });
    }

    fn refuse_unknown_group(&self, group: ObjectId) -> Result<(), StoreError> {
        let known = self.state.groups.contains_key(&group);
        if known { Ok(()) } else { Err(StoreError::GroupNotFound(group)) }
    }

    fn refuse_bad_name(&self, group: ObjectId, name: &str) -> Result<(), StoreError> {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts_well || !name.chars().all(letters) || name.len() > super::LONGEST_NAME_BYTES {
            return Err(StoreError::InvalidName(name.to_owned()));
        }
        match self.state.apps.values().find(|app| app.group == group && app.name == name) {
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
