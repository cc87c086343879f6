//! Apps: made, changed, deleted.

use std::sync::Arc;

use filter_common::generation::MAX_APPS;

use super::super::change::{Row, Versioned};
use super::super::error::StoreError;
use super::super::fresh;
use super::Draft;
use crate::access_list::AccessList;
use crate::app::{App, Mode, ProxySettings};
use crate::command::{AppFields, AppRef, ListChange, NewApp};
use crate::id::ObjectId;

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
        self.note(&old.client_app_id, || difference(&old, &new));
        Ok(self.put_app(old, new))
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
            remedy: "delete an app, or raise limits.apps in filterd.toml",
        })
    }
}

/// What is different about an app, beside its list.
fn difference(old: &App, new: &App) -> String {
    let said = [
        (old.name != new.name).then(|| format!("name {}", new.name)),
        (old.mode != new.mode).then(|| format!("mode {}", new.mode.name())),
        (old.scopes != new.scopes).then(|| format!("scopes {}", joined(&new.scopes))),
        (old.trusted_hops != new.trusted_hops)
            .then(|| format!("trusted hops {}", joined(&new.trusted_hops))),
        (old.origins != new.origins).then(|| format!("origins {}", joined(&new.origins))),
        (old.require_origin != new.require_origin)
            .then(|| format!("require origin {}", new.require_origin)),
        (old.proxy.names != new.proxy.names)
            .then(|| format!("server names {}", joined(&new.proxy.names))),
        (old.proxy.upstreams != new.proxy.upstreams)
            .then(|| format!("upstreams {}", joined(&new.proxy.upstreams))),
        (ProxySettings { names: Vec::new(), upstreams: Vec::new(), ..old.proxy.clone() }
            != ProxySettings { names: Vec::new(), upstreams: Vec::new(), ..new.proxy.clone() })
        .then(|| "proxy settings".to_owned()),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn joined<T: ToString>(items: &[T]) -> String {
    let texts: Vec<_> = items.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(" ") }
}
