//! Apps: made, changed, deleted.

use std::sync::Arc;

use filter_common::generation::MAX_APPS;

use super::super::change::{Row, Versioned};
use super::super::error::StoreError;
use super::super::fresh;
use super::super::seal::proxy_text;
use super::Draft;
use crate::access_list::AccessList;
use crate::app::{App, Mode, ProxySettings};
use crate::command::{AppFields, AppRef, ListChange, NewApp};
use crate::config::MOST_APPS;
use crate::id::ObjectId;
use crate::origin::Origin;

impl Draft<'_> {
    pub(super) fn create_app(
        &mut self,
        group: ObjectId,
        new: NewApp,
    ) -> Result<Arc<App>, StoreError> {
        let NewApp { fields, entries } = new;
        let name = fields.name.clone().unwrap_or_default();
        self.refuse_unknown_group(group)?;
        self.refuse_bad_name(group, &name)?;
        self.refuse_too_many_entries(entries.len())?;
        let mut app = App {
            id: ObjectId::from_bytes([0; 12]),
            client_app_id: fresh::client_app_id(&self.apps(), &name),
            name,
            group,
            index: self.free_place()?,
            mode: Mode::Enforce,
            scopes: Vec::new(),
            trusted_hops: Vec::new(),
            origins: Vec::new(),
            require_origin: false,
            proxy: ProxySettings::default(),
            list: AccessList::first(),
            last_modified: self.circumstances.fresh.now,
        };
        fields.apply(&mut app);
        app.id = self.circumstances.fresh.id()?;
        let app = Arc::new(app);
        self.note(&app.client_app_id, || format!("{} entries", entries.len()));
        self.rows.push(Row::App { old: None, new: Some(Arc::clone(&app)) });
        let added = self.new_entries(entries)?;
        self.rows.push(Row::Added { app: Arc::clone(&app), entries: added.clone() });
        let change = ListChange { version: 1, added, ..ListChange::default() };
        self.versions.push(Versioned { app: Arc::clone(&app), change });
        Ok(app)
    }

    pub(super) fn update_app(
        &mut self,
        app: AppRef,
        fields: AppFields,
    ) -> Result<Arc<App>, StoreError> {
        let old = self.app(app)?;
        let mut new = App::clone(&old);
        fields.apply(&mut new);
        if AppFields::of(&new) == AppFields::of(&old) {
            return Ok(old);
        }
        if new.name != old.name {
            self.refuse_bad_name(new.group, &new.name)?;
        }
        self.note(&old.client_app_id, || told(&difference(&old, &new)));
        Ok(self.put_app(old, new))
    }

    /// Worked out from the origins that there are, so that two who edit them
    /// at the same time both get what they want.
    pub(super) fn edit_origins(
        &mut self,
        app: AppRef,
        add: Vec<Origin>,
        remove: &[Origin],
    ) -> Result<Arc<App>, StoreError> {
        let mut origins = self.app(app)?.origins.clone();
        for unwanted in remove {
            let found = origins.iter().position(|origin| same(origin, unwanted));
            let found = found.ok_or_else(|| StoreError::UnknownOrigin(unwanted.to_string()))?;
            origins.remove(found);
        }
        for origin in add {
            if !origins.iter().any(|listed| same(listed, &origin)) {
                origins.push(origin);
            }
        }
        self.update_app(app, AppFields { origins: Some(origins), ..AppFields::default() })
    }

    pub(super) fn delete_app(&mut self, app: AppRef) -> Result<Arc<App>, StoreError> {
        let app = self.app(app)?;
        self.note(&app.client_app_id, || format!("{} entries", app.list.len()));
        self.rows.push(Row::App { old: Some(Arc::clone(&app)), new: None });
        let entries = app.list.entries().cloned().collect();
        self.rows.push(Row::Removed { app: Arc::clone(&app), entries });
        Ok(app)
    }

    /// The apps before the command, and those that it has made so far.
    fn apps(&self) -> Vec<&Arc<App>> {
        let made = self.rows.iter().filter_map(|row| match row {
            Row::App { old: None, new } => new.as_ref(),
            Row::App { .. }
            | Row::Added { .. }
            | Row::Removed { .. }
            | Row::Replaced { .. }
            | Row::Key { .. }
            | Row::Session { .. } => None,
        });
        self.circumstances.before.apps.values().chain(made).collect()
    }

    fn free_place(&self) -> Result<u32, StoreError> {
        let places = u32::try_from(MAX_APPS).expect("a kernel table has fewer than 2^32 places");
        let (apps, limit) = (self.apps(), self.circumstances.limits.apps);
        let index = fresh::app_index(&apps, places).filter(|_| apps.len() < limit);
        index.ok_or(StoreError::LimitExceeded {
            what: "apps",
            count: apps.len() + 1,
            limit,
            remedy: match limit < MOST_APPS {
                true => "delete an app, or raise limits.apps in filterd.toml",
                false => "delete an app: a host has no room for more",
            },
        })
    }
}

fn same(one: &Origin, other: &Origin) -> bool {
    one.canonical() == other.canonical()
}

/// What of an app is different from what it was, beside its list.
pub(super) fn difference(old: &App, new: &App) -> AppFields {
    fn other<T: PartialEq>(old: Option<T>, new: Option<T>) -> Option<T> {
        if old == new { None } else { new }
    }
    let (old, new) = (AppFields::of(old), AppFields::of(new));
    AppFields {
        name: other(old.name, new.name),
        mode: other(old.mode, new.mode),
        scopes: other(old.scopes, new.scopes),
        trusted_hops: other(old.trusted_hops, new.trusted_hops),
        origins: other(old.origins, new.origins),
        require_origin: other(old.require_origin, new.require_origin),
        proxy: other(old.proxy, new.proxy),
    }
}

/// What is said of an app, in a line.
pub(super) fn told(fields: &AppFields) -> String {
    let AppFields { name, mode, scopes, trusted_hops, origins, require_origin, proxy } = fields;
    let said = [
        name.as_ref().map(|name| format!("name {name}")),
        mode.map(|mode| format!("mode {}", mode.name())),
        scopes.as_deref().map(|scopes| format!("scopes {}", joined(scopes))),
        trusted_hops.as_deref().map(|hops| format!("trusted hops {}", joined(hops))),
        origins.as_deref().map(|origins| format!("origins {}", joined(origins))),
        require_origin.map(|required| format!("require origin {required}")),
        proxy.as_ref().map(|proxy| format!("proxy {}", proxy_text(proxy))),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn joined<T: ToString>(items: &[T]) -> String {
    let texts: Vec<_> = items.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(" ") }
}
