//! The state after a change, in memory.

use std::sync::Arc;

use imbl::OrdMap;

use super::change::{Change, Row};
use crate::access_list::{AccessList, ListError};
use crate::app::App;
use crate::id::ObjectId;
use crate::state::State;

/// The state that a change makes of the one before it.
pub(super) fn apply(before: &State, change: &Change) -> Result<State, ListError> {
    let mut state = before.clone();
    state.revision += 1;
    state.settings = change.settings;
    for row in &change.rows {
        match row {
            Row::App { new: Some(app), .. } => {
                state.apps.insert(app.id, Arc::clone(app));
            }
            Row::App { old, new: None } => {
                old.iter().for_each(|app| drop(state.apps.remove(&app.id)));
            }
            Row::Added { app, entries } => on_list(&mut state, app, |list| list.extend(entries))?,
            Row::Removed { app, entries } => {
                on_list(&mut state, app, |list| {
                    list.remove(entries);
                    Ok(())
                })?;
            }
            Row::Replaced { app, new, .. } => on_list(&mut state, app, |list| list.replace(new))?,
            Row::Key { old, new } => put(&mut state.keys, old, new, |key| key.id),
            Row::Session { old, new } => put(&mut state.sessions, old, new, |session| session.id),
        }
    }
    Ok(state)
}

fn on_list(
    state: &mut State,
    app: &App,
    change: impl FnOnce(&mut AccessList) -> Result<(), ListError>,
) -> Result<(), ListError> {
    match state.apps.get_mut(&app.id) {
        Some(app) => change(&mut Arc::make_mut(app).list),
        // A list that is gone with its app.
        None => Ok(()),
    }
}

fn put<T>(
    items: &mut OrdMap<ObjectId, Arc<T>>,
    old: &Option<Arc<T>>,
    new: &Option<Arc<T>>,
    id: impl Fn(&T) -> ObjectId,
) {
    match (old, new) {
        (_, Some(new)) => drop(items.insert(id(new), Arc::clone(new))),
        (Some(old), None) => drop(items.remove(&id(old))),
        (None, None) => {}
    }
}
