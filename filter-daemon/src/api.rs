//! The HTTP interface: one router, whatever it is served on.
//!
//! Owns the paths, the wire types and the error bodies, the control socket and
//! the TLS listener, and the OpenAPI document. Never changes state by itself:
//! every change is a command, and every view is what [`Control`] shows.
//!
//! Invariants: every error is a JSON object with `error` and, where there is
//! one, `error_code`; what answers well is durable, and `Filterd-Applied` says
//! whether it is in force; no body, header or connection is unbounded.

mod admin;
mod apps;
mod asker;
mod audit;
mod body;
mod control_socket;
mod declared;
mod document;
mod drops;
mod entries;
mod fault;
mod guard;
mod host;
mod keys;
mod limits;
mod listed;
mod listener_status;
mod lists;
mod login;
mod open;
mod outbound;
mod path;
mod peer;
mod proxy;
mod rest;
mod schema;
mod shut_out;
mod tls_listener;
mod wire;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use control_socket::SOCKET_SUFFIX;
pub use control_socket::{ControlSocket, ServeError, bind, serve};
pub use document::text as openapi;
pub use tls_listener::{ListenerStatus, TlsError, TlsListener};

use crate::control::Control;
use fault::Fault;

/// Every path of the interface, for callers who are known already.
pub fn router(control: Control) -> Router {
    complete(closed_router(), control)
}

/// The same for callers of whom nothing is known but where they are.
fn guarded_router(control: Control) -> Router {
    let guard = from_fn_with_state(control.clone(), guard::require_key);
    complete(closed_router().layer(guard), control)
}

fn complete(closed: Router<Control>, control: Control) -> Router {
    closed.merge(open_router()).layer(from_fn(rest::take_rest)).with_state(control)
}

fn open_router() -> Router<Control> {
    let (router, _) = open_routes().split_for_parts();
    router.method_not_allowed_fallback(async || Fault::unknown_method())
}

fn closed_router() -> Router<Control> {
    let (router, _) = closed_routes().split_for_parts();
    router
        .fallback(async || Fault::unknown_path())
        .method_not_allowed_fallback(async || Fault::unknown_method())
}

/// What anybody may ask.
fn open_routes() -> OpenApiRouter<Control> {
    open::router().merge(login::open_router())
}

/// What only administrators may ask.
fn closed_routes() -> OpenApiRouter<Control> {
    let own = apps::router()
        .merge(lists::router())
        .merge(declared::router())
        .merge(audit::router())
        .merge(keys::router())
        .merge(host::router())
        .merge(outbound::router())
        .merge(proxy::router())
        .merge(document::router());
    OpenApiRouter::default()
        .nest("/api/admin/v3.0", admin::router().merge(login::router()))
        .nest("/api/filter/v1", own)
}

#[cfg(test)]
pub(crate) mod tests;
