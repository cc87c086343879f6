//! Groups, apps and imports as filterd knows them: `/api/filter/v1`.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::admin::{app_of, delete_app, find_app, find_apps};
use super::asker::Asker;
use super::body::{BULK_BYTES, Sent};
use super::fault::Fault;
use super::path::{AppPath, GroupPath};
use super::wire::{self, AppIn, AppOut, GroupOut, json};
use crate::command::{Command, NewApp, NewEntry};
use crate::control::Control;

/// Single origins of an app to add and to take off.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginsEdit {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/groups", get(list_groups))
        .route("/groups/{group}/apps", get(list_apps).post(create_app))
        .route("/groups/{group}/apps/{app}", get(show_app).patch(update_app).delete(delete_app))
        .route("/groups/{group}/apps/{app}/origins", post(edit_origins))
}

async fn list_groups(State(control): State<Control>) -> Response {
    let state = control.store().state();
    json(&state.groups.values().map(GroupOut::from).collect::<Vec<_>>())
}

async fn list_apps(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
) -> Result<Response, Fault> {
    let apps = find_apps(&control, group)?;
    Ok(json(&apps.iter().map(|app| AppOut::from(app.as_ref())).collect::<Vec<_>>()))
}

async fn show_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    Ok(json(&AppOut::from(find_app(&control, app)?.as_ref())))
}

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
