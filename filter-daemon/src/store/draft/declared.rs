//! Apps as a file describes them: what is different becomes one change.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::error::StoreError;
use super::Draft;
use super::apps::{difference, told};
use crate::access_list::EntryFields;
use crate::app::App;
use crate::command::{
    AppChange, AppFields, AppRef, AppVerb, DesiredApp, Import, ListChange, NewApp, NewEntry,
};
use crate::id::ObjectId;

impl Draft<'_> {
    /// Makes the group's apps what is described. An app is found by its name.
    pub(super) fn apply(
        &mut self,
        group: ObjectId,
        desired: Vec<DesiredApp>,
        prune: bool,
    ) -> Result<Vec<AppChange>, StoreError> {
        self.refuse_unknown_group(group)?;
        let names: BTreeSet<String> = desired.iter().map(|app| app.name.clone()).collect();
        let mut changes = Vec::new();
        if prune {
            for app in self.others(group, &names) {
                let app = self.delete_app(AppRef::of(&app))?;
                changes.push(AppChange {
                    app,
                    verb: AppVerb::Delete,
                    detail: String::new(),
                    list: ListChange::default(),
                });
            }
        }
        for desired in desired {
            let before = &self.circumstances.before.apps;
            let found = before.values().find(|app| app.group == group && app.name == desired.name);
            changes.push(match found.cloned() {
                None => self.make(group, desired)?,
                Some(app) => self.bring_about(&app, desired)?,
            });
        }
        self.note.subject = format!("group {group}");
        self.note.detail = changes.iter().map(summary).collect::<Vec<_>>().join("; ");
        Ok(changes)
    }

    fn others(&self, group: ObjectId, names: &BTreeSet<String>) -> Vec<Arc<App>> {
        let apps = self.circumstances.before.apps.values();
        apps.filter(|app| app.group == group && !names.contains(&app.name)).cloned().collect()
    }

    fn make(&mut self, group: ObjectId, desired: DesiredApp) -> Result<AppChange, StoreError> {
        let DesiredApp { name, fields, entries } = desired;
        let detail = told(&fields);
        let fields = AppFields { name: Some(name), ..fields };
        let entries = entries.unwrap_or_else(NewEntry::everywhere);
        let app = self.create_app(group, NewApp { fields, entries })?;
        let list = self.versions.last().map(|versioned| versioned.change.clone());
        Ok(AppChange { app, verb: AppVerb::Create, detail, list: list.unwrap_or_default() })
    }

    fn bring_about(
        &mut self,
        old: &Arc<App>,
        desired: DesiredApp,
    ) -> Result<AppChange, StoreError> {
        let app = self.update_app(AppRef::of(old), desired.fields)?;
        let verb = if Arc::ptr_eq(&app, old) { AppVerb::Keep } else { AppVerb::Update };
        let detail = told(&difference(old, &app));
        let list = match desired.entries {
            None => {
                let (version, unchanged) = (app.list.version, app.list.len());
                ListChange { version, unchanged, ..ListChange::default() }
            }
            Some(entries) => {
                let entries = entries.into_iter().map(whole).collect();
                let import = Import { entries, replace: true, shrink_guard_percent: None };
                self.import(&app, import)?
            }
        };
        Ok(AppChange { app, verb, detail, list })
    }
}

/// The file says all that there is to say of an entry: what it leaves out is
/// as a new entry has it.
fn whole(NewEntry { address, fields }: NewEntry) -> NewEntry {
    let EntryFields { comment, enabled, expires } = fields;
    let fields = EntryFields {
        comment: Some(comment.unwrap_or_default()),
        enabled: Some(enabled.unwrap_or(true)),
        expires: Some(expires.flatten()),
    };
    NewEntry { address, fields }
}

fn summary(change: &AppChange) -> String {
    let ListChange { added, removed, changed, .. } = &change.list;
    let [added, removed, changed] = [added, removed, changed].map(Vec::len);
    let (verb, app) = (change.verb.name(), &change.app.client_app_id);
    let counts = format!("{verb} {app} ({added} added, {removed} removed, {changed} changed)");
    match change.detail.as_str() {
        "" => counts,
        detail => format!("{counts}: {detail}"),
    }
}
