//! The HTTP interface: one router, whatever it is served on.
//!
//! Owns the paths, the wire types and the error bodies, the control socket and
//! the TLS listener. Never changes state by itself: every change is a command, and every
//! view is what [`Control`] shows.
//!
//! Invariants: every error is a JSON object with `error` and, where there is
//! one, `error_code`; what answers well is durable, and `Filterd-Applied` says
//! whether it is in force; no body, header or connection is unbounded.

mod admin;
mod admin_status;
mod apps;
mod asker;
mod audit;
mod body;
mod control_socket;
mod declared;
mod drops;
mod entries;
mod fault;
mod guard;
mod host;
mod keys;
mod limits;
mod listed;
mod lists;
mod login;
mod open;
mod outbound;
mod path;
mod peer;
mod proxy;
mod shut_out;
mod tls_listener;
mod wire;

use axum::Router;
use axum::middleware::from_fn_with_state;

pub(crate) use control_socket::SOCKET_SUFFIX;
pub use control_socket::{ControlSocket, ServeError, bind, serve};
pub use tls_listener::{ListenerStatus, TlsError, TlsListener};

use crate::control::Control;
use fault::Fault;

/// Every path of the interface, for callers who are known already.
pub fn router(control: Control) -> Router {
    closed_router().merge(open_router()).with_state(control)
}

/// The same for callers of whom nothing is known but where they are.
fn guarded_router(control: Control) -> Router {
    let guard = from_fn_with_state(control.clone(), guard::require_key);
    closed_router().layer(guard).merge(open_router()).with_state(control)
}

/// What anybody may ask.
fn open_router() -> Router<Control> {
    open::router()
        .merge(login::open_router())
        .method_not_allowed_fallback(async || Fault::unknown_method())
}

/// What only administrators may ask, and paths that there are not.
fn closed_router() -> Router<Control> {
    Router::new()
        .nest("/api/admin/v3.0", admin::router().merge(login::router()))
        .nest("/api/filter/v1", filter_router())
        .fallback(async || Fault::unknown_path())
        .method_not_allowed_fallback(async || Fault::unknown_method())
}

/// What is filterd's own.
fn filter_router() -> Router<Control> {
    apps::router()
        .merge(lists::router())
        .merge(declared::router())
        .merge(audit::router())
        .merge(keys::router())
        .merge(host::router())
        .merge(outbound::router())
        .merge(proxy::router())
}

#[cfg(test)]
pub(crate) mod tests;
