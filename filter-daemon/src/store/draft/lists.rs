//! Access lists: entries one by one and many at a time, and what a list was.

use std::sync::Arc;

use super::super::change::Row;
use super::super::error::StoreError;
use super::Draft;
use crate::access_list::{AccessList, Address, Comparison, Entry, EntryFields, ListError};
use crate::app::App;
use crate::command::{AppRef, Import, ListChange, NewEntry};
use crate::id::ObjectId;

impl Draft<'_> {
    pub(super) fn create_entry(
        &mut self,
        app: AppRef,
        new: NewEntry,
    ) -> Result<Arc<Entry>, StoreError> {
        let app = self.app(app)?;
        let ended = self.ended(&app, &new).map(Arc::clone);
        self.refuse_too_many_entries(app.list.len() + 1 - usize::from(ended.is_some()))?;
        let entry = Arc::new(self.entry(new)?);
        self.note(&app.client_app_id, || entry.address.text().to_owned());
        let removed: Vec<_> = ended.into_iter().collect();
        let change = ListChange {
            added: vec![Arc::clone(&entry)],
            removed: removed.clone(),
            ..ListChange::default()
        };
        let (app, _) = self.touch(&app, change);
        if !removed.is_empty() {
            self.rows.push(Row::Removed { app: Arc::clone(&app), entries: removed });
        }
        self.rows.push(Row::Added { app, entries: vec![Arc::clone(&entry)] });
        Ok(entry)
    }

    /// The entry that stands for a new one's prefix and lets nobody in any more:
    /// it is there to be seen, and hinders nothing.
    fn ended<'a>(&self, app: &'a App, new: &NewEntry) -> Option<&'a Arc<Entry>> {
        let listed = app.list.entry_of_prefix(new.address.prefix());
        listed.filter(|entry| entry.has_expired(self.circumstances.fresh.now))
    }

    pub(super) fn update_entry(
        &mut self,
        app: AppRef,
        id: ObjectId,
        address: Option<Address>,
        fields: EntryFields,
    ) -> Result<Arc<Entry>, StoreError> {
        let app = self.app(app)?;
        let old = Arc::clone(app.list.entry(id).ok_or(ListError::UnknownEntry(id))?);
        let Some(new) = self.changed(&old, address, fields)? else { return Ok(old) };
        self.note(&app.client_app_id, || rewritten(&old, &new));
        let change = ListChange { changed: vec![Arc::clone(&new)], ..ListChange::default() };
        let (app, _) = self.touch(&app, change);
        self.rows.push(Row::Replaced { app, old, new: Arc::clone(&new) });
        Ok(new)
    }

    pub(super) fn delete_entry(&mut self, app: AppRef, id: ObjectId) -> Result<(), StoreError> {
        let app = self.app(app)?;
        let gone = Arc::clone(app.list.entry(id).ok_or(ListError::UnknownEntry(id))?);
        self.note(&app.client_app_id, || gone.address.text().to_owned());
        let change = ListChange { removed: vec![Arc::clone(&gone)], ..ListChange::default() };
        let (app, _) = self.touch(&app, change);
        self.rows.push(Row::Removed { app, entries: vec![gone] });
        Ok(())
    }

    /// Entries are taken in their order: one whose prefix is listed by then,
    /// by an earlier one of the same import too, is not new. One whose time was
    /// over begins anew.
    pub(super) fn import(
        &mut self,
        app: &Arc<App>,
        import: Import,
    ) -> Result<ListChange, StoreError> {
        let Import { entries, replace, shrink_guard_percent } = import;
        let offered = entries.len();
        let comparison = Comparison::new(&app.list, entries.iter().map(|e| e.address.prefix()));
        let gone = if replace { comparison.missing() } else { Vec::new() };
        let mut is_new = comparison.is_new().iter();
        let (new, listed): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|_| is_new.next() == Some(&true));
        let removed: Vec<_> = gone.iter().flatten().cloned().collect();
        refuse_shrinking(app, removed.len(), shrink_guard_percent)?;
        self.refuse_too_many_entries(app.list.len() - removed.len() + new.len())?;
        let mut listed = listed;
        if !replace {
            let now = self.circumstances.fresh.now;
            let any_ended = app.list.temporary().any(|(_, end)| end <= now);
            listed.retain(|entry| any_ended && self.ended(app, entry).is_some());
        }
        let changed = self.changed_by(app, listed)?;
        let added = self.new_entries(new)?;
        let unchanged = offered - added.len() - changed.len();
        let change = ListChange { version: app.list.version, added, removed, changed, unchanged };
        Ok(self.put_list(app, change, gone))
    }

    pub(super) fn restore(&mut self, app: AppRef, version: u64) -> Result<ListChange, StoreError> {
        let app = self.app(app)?;
        let target = (self.circumstances.past)(&app, version)?;
        self.refuse_too_many_entries(target.len())?;
        let (change, gone) = difference(&app.list, &target);
        let change = self.put_list(&app, change, gone);
        self.note.detail =
            format!("version {version} as version {}: {}", change.version, self.note.detail);
        Ok(change)
    }

    pub(super) fn drop_expired(&mut self, app: AppRef) -> Result<ListChange, StoreError> {
        let app = self.app(app)?;
        let now = self.circumstances.fresh.now;
        let removed = app.list.entries().filter(|entry| entry.has_expired(now));
        let removed: Vec<_> = removed.cloned().collect();
        let gone = removed.iter().map(|entry| vec![Arc::clone(entry)]).collect();
        let version = app.list.version;
        Ok(self.put_list(&app, ListChange { version, removed, ..ListChange::default() }, gone))
    }

    /// The rows of a change of many entries; what is gone is given in runs.
    fn put_list(
        &mut self,
        app: &Arc<App>,
        change: ListChange,
        gone: Vec<Vec<Arc<Entry>>>,
    ) -> ListChange {
        let (added, removed, changed) =
            (change.added.len(), change.removed.len(), change.changed.len());
        if added + removed + changed == 0 {
            return ListChange { version: app.list.version, ..change };
        }
        self.note(&app.client_app_id, || {
            format!("{added} added, {removed} removed, {changed} changed")
        });
        let before = Arc::clone(app);
        let (app, change) = self.touch(app, change);
        for entries in gone {
            self.rows.push(Row::Removed { app: Arc::clone(&app), entries });
        }
        // Taken off and put back: two of them may have changed prefixes.
        let old = change.changed.iter().filter_map(|new| before.list.entry_of_number(new.number()));
        for old in old {
            self.rows.push(Row::Removed { app: Arc::clone(&app), entries: vec![Arc::clone(old)] });
        }
        let entries = change.added.iter().chain(&change.changed).cloned().collect();
        self.rows.push(Row::Added { app, entries });
        change
    }

    fn changed_by(&self, app: &App, listed: Vec<NewEntry>) -> Result<Vec<Arc<Entry>>, StoreError> {
        let mut changed = Vec::new();
        for NewEntry { address, mut fields } in listed {
            // One that an earlier one of the same import stands for is no entry yet.
            let Some(old) = app.list.entry_of_prefix(address.prefix()) else { continue };
            if old.has_expired(self.circumstances.fresh.now) {
                fields.expires.get_or_insert(None);
            }
            changed.extend(self.changed(old, None, fields)?);
        }
        changed.sort_by_key(|entry| entry.number());
        changed.dedup_by_key(|entry| entry.number());
        Ok(changed)
    }

    /// An entry as it is to be, if that is different.
    fn changed(
        &self,
        old: &Entry,
        address: Option<Address>,
        fields: EntryFields,
    ) -> Result<Option<Arc<Entry>>, StoreError> {
        let same_address = address.as_ref().is_none_or(|address| *address == old.address);
        if same_address && fields.agree_with(old) {
            return Ok(None);
        }
        let mut new = Entry::clone(old);
        new.address = address.unwrap_or(new.address);
        fields.clone().apply(&mut new);
        new.author = Arc::clone(&self.circumstances.caller.who);
        new.changed = self.circumstances.fresh.now;
        self.refuse_bad_fields(&new, &fields)?;
        Ok(Some(Arc::new(new)))
    }

    pub(super) fn new_entries(
        &mut self,
        new: Vec<NewEntry>,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        new.into_iter().map(|entry| self.entry(entry).map(Arc::new)).collect()
    }

    fn entry(&mut self, new: NewEntry) -> Result<Entry, StoreError> {
        let NewEntry { address, fields } = new;
        let mut entry = Entry {
            id: self.circumstances.fresh.id()?,
            address,
            comment: Box::default(),
            enabled: true,
            expires: None,
            author: Arc::clone(&self.circumstances.caller.who),
            changed: self.circumstances.fresh.now,
        };
        fields.clone().apply(&mut entry);
        self.refuse_bad_fields(&entry, &fields)?;
        Ok(entry)
    }
}

/// What became of an entry, in a line.
fn rewritten(old: &Entry, new: &Entry) -> String {
    let end = |entry: &Entry| {
        let end = entry.expires.and_then(|end| jiff::Timestamp::from_second(end).ok());
        end.map_or_else(|| "never".to_owned(), |end| end.to_string())
    };
    let said = [
        (old.address != new.address).then(|| format!("now {}", new.address.text())),
        (old.enabled != new.enabled)
            .then(|| if new.enabled { "enabled" } else { "disabled" }.to_owned()),
        (old.expires != new.expires).then(|| format!("ends {}", end(new))),
        (old.comment != new.comment).then(|| format!("comment {:?}", new.comment)),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    format!("{}: {}", old.address.text(), said.join(", "))
}

fn refuse_shrinking(
    app: &App,
    removed: usize,
    guard_percent: Option<u8>,
) -> Result<(), StoreError> {
    let Some(percent) = guard_percent else { return Ok(()) };
    let size = app.list.len();
    if removed * 100 > size * usize::from(percent) {
        return Err(StoreError::ShrinkGuard { removed, size, percent });
    }
    Ok(())
}

/// What makes one list of another, and what is gone in runs, with no other
/// entry of the old list in between.
fn difference(old: &AccessList, new: &AccessList) -> (ListChange, Vec<Vec<Arc<Entry>>>) {
    let mut change = ListChange { version: old.version, ..ListChange::default() };
    let (mut gone, mut run) = (Vec::new(), Vec::new());
    for entry in old.entries() {
        match new.entry_of_number(entry.number()) {
            None => {
                run.push(Arc::clone(entry));
                continue;
            }
            Some(then) if then == entry => change.unchanged += 1,
            Some(then) => change.changed.push(Arc::clone(then)),
        }
        gone.extend((!run.is_empty()).then(|| std::mem::take(&mut run)));
    }
    gone.extend((!run.is_empty()).then_some(run));
    change.removed = gone.iter().flatten().cloned().collect();
    let added = new.entries().filter(|entry| old.entry_of_number(entry.number()).is_none());
    change.added = added.cloned().collect();
    (change, gone)
}
