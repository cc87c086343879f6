//! What anybody may ask who reaches a listener: that a server runs, and how to
//! log in.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::json;
use crate::control::Control;

/// The way to log in: with the two halves of an API key.
pub(super) const CLOUD: &str = "mongodb-cloud";

/// All names of that way. By the second, one client calls the halves a name
/// and a password.
pub(super) const PROVIDERS: [&str; 2] = [CLOUD, "local-userpass"];

#[derive(Serialize, ToSchema)]
#[schema(as = ServerVersion)]
struct VersionOut {
    version: &'static str,
}

#[derive(Serialize, ToSchema)]
struct ProviderOut {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(version)).routes(routes!(providers))
}

/// Tells that a server runs.
#[utoipa::path(
    get, path = "/api/private/v1.0/version",
    operation_id = "version", tag = "auth",
    responses((status = 200, description = "The daemon's version", body = VersionOut)),
)]
async fn version() -> Response {
    json(&VersionOut { version: env!("CARGO_PKG_VERSION") })
}

/// Lists the ways to log in.
#[utoipa::path(
    get, path = "/api/admin/v3.0/auth/providers",
    operation_id = "getAdminAuthProviders", tag = "auth",
    responses((status = 200, description = "The ways to log in", body = Vec<ProviderOut>)),
)]
async fn providers() -> Response {
    json(&PROVIDERS.map(|name| ProviderOut { name, kind: name }))
}
