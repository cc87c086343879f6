//! Whether a caller has just shut itself out: by its connection, by the list
//! of an app, or by the list of its own key.
//!
//! A change that says so is made all the same; the answer warns.

use std::sync::Arc;

use axum::http::Extensions;

use crate::app::Mode;
use crate::caller::{Caller, Source};
use crate::command::{AppRef, Session};
use crate::control::Control;
use crate::id::ObjectId;
use crate::key::Key;
use crate::state::State;

/// What a caller stands on.
pub(super) struct Footing {
    from: Source,
    connection: Option<Session>,
    key: Option<ObjectId>,
}

/// What lets a caller in at one moment.
pub(super) struct Foothold {
    connection: bool,
    list: bool,
    key: bool,
}

impl Footing {
    /// Of the caller of a request.
    pub(super) fn of(caller: &Caller, extensions: &Extensions) -> Self {
        Self {
            from: caller.from,
            connection: extensions.get::<Session>().copied(),
            key: extensions.get::<Arc<Key>>().map(|key| key.id),
        }
    }

    /// What lets the caller in now. Without an address nothing is needed.
    pub(super) fn look(&self, control: &Control, app: Option<AppRef>) -> Foothold {
        let state = control.store().state();
        let connection = |session| control.store().admits(&session);
        Foothold {
            connection: self.connection.is_none_or(connection),
            list: app.is_none_or(|app| self.is_listed(&state, app)),
            key: self.key.is_none_or(|key| self.is_admitted(&state, key)),
        }
    }

    /// What is lost of it meanwhile, in words.
    pub(super) fn lost(&self, before: &Foothold, after: &Foothold) -> Vec<String> {
        let Some(address) = self.from.address() else { return Vec::new() };
        let losses = [
            (
                before.connection && !after.connection,
                "this connection is let in no more: no list or fail-safe source admits",
            ),
            (before.list && !after.list, "no entry of the app's list admits any more"),
            (before.key && !after.key, "the API key that was used can be used no more from"),
        ];
        let lost = losses.into_iter().filter(|(is_lost, _)| *is_lost);
        lost.map(|(_, words)| format!("{words} your own address {address}")).collect()
    }

    fn is_listed(&self, state: &State, app: AppRef) -> bool {
        let (Some(app), Some(address)) = (state.apps.get(&app.app), self.from.address()) else {
            return true;
        };
        app.mode != Mode::Enforce || app.list.prefixes().lookup(address).is_some()
    }

    fn is_admitted(&self, state: &State, key: ObjectId) -> bool {
        let admits = |key: &Arc<Key>| !key.refuses(self.from);
        self.from.address().is_none() || state.key_in_use(key).is_some_and(admits)
    }
}
