//! The judgement of a TCP session in user space.

use crate::app::{App, Protocol, Scope};
use crate::command::Session;
use crate::config::FailSafe;
use crate::policy::specificity::specificity;
use crate::state::State;

/// Whether packets of a session that the peer began pass. Which interface
/// they come in by is not known: every app that could hold them must agree.
pub fn admits(state: &State, fail_safe: &[FailSafe], session: &Session) -> bool {
    let peer = session.peer.ip();
    let port = session.local.port();
    if fail_safe.iter().any(|f| f.prefix.contains(peer) && f.port.is_none_or(|p| p == port)) {
        return true;
    }
    let mut scopes: Vec<(&Scope, &App)> = state
        .apps
        .values()
        .flat_map(|app| app.scopes.iter().map(move |scope| (scope, app.as_ref())))
        .filter(|(scope, _)| holds(scope, session))
        .collect();
    scopes.sort_by_cached_key(|(scope, _)| specificity(scope));
    let certain = scopes.iter().position(|(scope, _)| scope.interface.is_none());
    let candidates = certain.map_or(scopes.len(), |position| position + 1);
    scopes[..candidates].iter().all(|(_, app)| app_admits(app, session))
}

fn holds(scope: &Scope, session: &Session) -> bool {
    scope.destination.is_none_or(|d| d.contains(session.local.ip()))
        && scope.protocol.is_none_or(|p| p == Protocol::TCP)
        && scope.ports.is_none_or(|p| p.contains(session.local.port()))
}

fn app_admits(app: &App, session: &Session) -> bool {
    let peer = session.peer.ip();
    app.mode != crate::app::Mode::Enforce
        || app.trusted_hops.iter().any(|hop| hop.contains(peer))
        || app.list.prefixes().lookup(peer).is_some()
}
