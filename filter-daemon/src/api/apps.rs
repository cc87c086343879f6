//! Groups, apps and imports as filterd knows them: `/api/filter/v1`.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::admin::{app_of, delete_app, find_app, find_apps, unexpected};
use super::body::{BULK_BYTES, Sent};
use super::fault::Fault;
use super::path::{AppPath, GroupPath};
use super::protect::Protect;
use super::wire::{self, AppIn, AppOut, AppPatch, GroupOut, ImportIn, ImportOut, json};
use crate::access_list::Address;
use crate::app::Mode;
use crate::command::{Command, NewApp, NewEntry, Outcome};
use crate::control::Control;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/groups", get(list_groups))
        .route("/groups/{group}/apps", get(list_apps).post(create_app))
        .route("/groups/{group}/apps/{app}", get(show_app).patch(update_app).delete(delete_app))
        .route("/groups/{group}/apps/{app}/access_list/import", post(import))
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
    protect: Protect,
    Sent(new): Sent<AppIn, BULK_BYTES>,
) -> Result<Response, Fault> {
    let app = NewApp {
        name: new.name,
        mode: new.mode.as_deref().map_or(Ok(Mode::Enforce), wire::mode)?,
        scopes: wire::scopes(&new.scopes)?,
        trusted_hops: wire::trusted_hops(&new.trusted_hops)?,
        entries: new.entries.map_or_else(|| Ok(everywhere()), |entries| entries.0)?,
    };
    let (outcome, in_force) = protect.execute(&control, Command::CreateApp { group, app }).await?;
    let app = app_of(outcome)?;
    Ok(in_force.with((StatusCode::CREATED, json(&AppOut::from(app.as_ref())))))
}

async fn update_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
    protect: Protect,
    Sent(change): Sent<AppPatch>,
) -> Result<Response, Fault> {
    let command = Command::UpdateApp {
        app,
        name: change.name,
        mode: change.mode.as_deref().map(wire::mode).transpose()?,
        scopes: change.scopes.as_deref().map(wire::scopes).transpose()?,
        trusted_hops: change.trusted_hops.as_deref().map(wire::trusted_hops).transpose()?,
    };
    let (outcome, in_force) = protect.execute(&control, command).await?;
    let app = app_of(outcome)?;
    Ok(in_force.with(json(&AppOut::from(app.as_ref()))))
}

async fn import(
    State(control): State<Control>,
    AppPath(app): AppPath,
    protect: Protect,
    Sent(sent): Sent<ImportIn, BULK_BYTES>,
) -> Result<Response, Fault> {
    let ImportIn { entries, replace } = sent;
    let command = Command::ImportEntries { app, entries: entries.0?, replace };
    let (outcome, in_force) = protect.execute(&control, command).await?;
    match outcome {
        Outcome::Imported { added, removed, unchanged } => {
            Ok(in_force.with(json(&ImportOut { added, removed, unchanged })))
        }
        Outcome::App(_) | Outcome::Entry(_) | Outcome::Deleted | Outcome::Settings(_) => {
            Err(unexpected())
        }
    }
}

/// What a new app's list holds when nothing else is said: everybody, in both
/// families.
fn everywhere() -> Vec<NewEntry> {
    ["0.0.0.0/0", "::/0"]
        .map(|text| Address::parse(text).expect("all of a family is an address"))
        .map(|address| NewEntry { address, comment: String::new() })
        .into()
}
