//! What anybody may ask who reaches a listener: that a server runs, and how to
//! log in.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::wire::json;
use crate::control::Control;

/// The way to log in: with the two halves of an API key.
pub(super) const CLOUD: &str = "mongodb-cloud";

/// All names of that way. By the second, one client calls the halves a name
/// and a password.
pub(super) const PROVIDERS: [&str; 2] = [CLOUD, "local-userpass"];

#[derive(Serialize)]
struct VersionOut {
    version: &'static str,
}

#[derive(Serialize)]
struct ProviderOut {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/api/private/v1.0/version", get(version))
        .route("/api/admin/v3.0/auth/providers", get(providers))
}

async fn version() -> Response {
    json(&VersionOut { version: env!("CARGO_PKG_VERSION") })
}

async fn providers() -> Response {
    json(&PROVIDERS.map(|name| ProviderOut { name, kind: name }))
}
