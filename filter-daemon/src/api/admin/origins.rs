//! The web pages that an app's requests may come from.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::find_app;
use crate::api::asker::Asker;
use crate::api::body::Sent;
use crate::api::fault::Fault;
use crate::api::path::AppPath;
use crate::api::wire::{self, json};
use crate::command::{AppFields, Command};
use crate::control::Control;
use crate::origin::Origin;

/// Lists the allowed request origins of an app.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/security/allowed_request_origins",
    operation_id = "adminListAllowedRequestOrigins", tag = "admin origins",
    params(AppPath),
    responses((status = 200, description = "The origins", body = Vec<String>)),
)]
pub(super) async fn list(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    let app = find_app(&control, app)?;
    Ok(json(&app.origins.iter().map(Origin::text).collect::<Vec<_>>()))
}

/// Sets all allowed request origins of an app.
#[utoipa::path(
    post, path = "/groups/{group}/apps/{app}/security/allowed_request_origins",
    operation_id = "adminSetAllowedRequestOrigins", tag = "admin origins",
    params(AppPath, Asker),
    request_body = Vec<String>,
    responses((status = 204, description = "They are set")),
)]
pub(super) async fn replace(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(sent): Sent<Vec<String>>,
) -> Result<Response, Fault> {
    let origins = Some(wire::origins(&sent, "origins")?);
    let fields = AppFields { origins, ..AppFields::default() };
    let (_, in_force) = asker.execute(&control, Command::UpdateApp { app, fields }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}
