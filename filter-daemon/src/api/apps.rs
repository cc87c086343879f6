//! Groups, apps and imports as filterd knows them: `/api/filter/v1`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::{app_of, find_app, find_apps};
use super::asker::Asker;
use super::body::{BULK_BYTES, Sent};
use super::fault::Fault;
use super::path::{AppPath, GroupPath};
use super::wire::{self, AppIn, AppOut, GroupOut, json};
use crate::command::{Command, NewApp, NewEntry};
use crate::control::Control;

/// Single origins of an app to add and to take off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OriginsEdit {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(list_groups))
        .routes(routes!(list_apps, create_app))
        .routes(routes!(show_app, update_app, delete_app))
        .routes(routes!(edit_origins))
}

/// Lists the groups.
#[utoipa::path(
    get, path = "/groups",
    operation_id = "listGroups", tag = "apps",
    responses((status = 200, description = "The groups", body = Vec<GroupOut>)),
)]
async fn list_groups(State(control): State<Control>) -> Response {
    let state = control.store().state();
    json(&state.groups.values().map(GroupOut::from).collect::<Vec<_>>())
}

/// Lists the apps of a group.
#[utoipa::path(
    get, path = "/groups/{group}/apps",
    operation_id = "listApps", tag = "apps",
    params(GroupPath),
    responses((status = 200, description = "The apps, oldest first", body = Vec<AppOut>)),
)]
async fn list_apps(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
) -> Result<Response, Fault> {
    let apps = find_apps(&control, group)?;
    Ok(json(&apps.iter().map(|app| AppOut::from(app.as_ref())).collect::<Vec<_>>()))
}

/// Shows an app.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}",
    operation_id = "showApp", tag = "apps",
    params(AppPath),
    responses((status = 200, description = "The app", body = AppOut)),
)]
async fn show_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    Ok(json(&AppOut::from(find_app(&control, app)?.as_ref())))
}

/// Makes an app. Without entries its list lets everybody in.
#[utoipa::path(
    post, path = "/groups/{group}/apps",
    operation_id = "createApp", tag = "apps",
    params(GroupPath, Asker),
    request_body = AppIn,
    responses((status = 201, description = "It is made", body = AppOut)),
)]
async fn create_app(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
    asker: Asker,
    Sent(new): Sent<AppIn, BULK_BYTES>,
) -> Result<Response, Fault> {
    let (fields, entries) = new.parts()?;
    if fields.name.is_none() {
        return Err(Fault::parameter("name: is missing: give the app one"));
    }
    let app = NewApp { fields, entries: entries.unwrap_or_else(NewEntry::everywhere) };
    let (outcome, in_force) = asker.execute(&control, Command::CreateApp { group, app }).await?;
    let app = app_of(outcome)?;
    Ok(in_force.with((StatusCode::CREATED, json(&AppOut::from(app.as_ref())))))
}

/// Changes what is said of an app; its list has paths of its own.
#[utoipa::path(
    patch, path = "/groups/{group}/apps/{app}",
    operation_id = "updateApp", tag = "apps",
    params(AppPath, Asker),
    request_body = AppIn,
    responses((status = 200, description = "The app as it is now", body = AppOut)),
)]
async fn update_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(change): Sent<AppIn>,
) -> Result<Response, Fault> {
    let (fields, entries) = change.parts()?;
    if entries.is_some() {
        return Err(Fault::parameter("entries: a list has paths of its own, below …/access_list"));
    }
    let command = Command::UpdateApp { app, fields };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    let app = app_of(outcome)?;
    Ok(in_force.with(json(&AppOut::from(app.as_ref()))))
}

/// Adds single allowed request origins to an app, and takes others off.
#[utoipa::path(
    post, path = "/groups/{group}/apps/{app}/origins",
    operation_id = "editOrigins", tag = "apps",
    params(AppPath, Asker),
    request_body = OriginsEdit,
    responses((status = 200, description = "The app as it is now", body = AppOut)),
)]
async fn edit_origins(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(OriginsEdit { add, remove }): Sent<OriginsEdit>,
) -> Result<Response, Fault> {
    let (add, remove) = (wire::origins(&add, "add")?, wire::origins(&remove, "remove")?);
    let command = Command::EditOrigins { app, add, remove };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    let app = app_of(outcome)?;
    Ok(in_force.with(json(&AppOut::from(app.as_ref()))))
}

/// Deletes an app with its list and the list's history.
#[utoipa::path(
    delete, path = "/groups/{group}/apps/{app}",
    operation_id = "deleteApp", tag = "apps",
    params(AppPath, Asker),
    responses((status = 204, description = "It is gone")),
)]
async fn delete_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
) -> Result<Response, Fault> {
    let (_, in_force) = asker.execute(&control, Command::DeleteApp { app }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}
