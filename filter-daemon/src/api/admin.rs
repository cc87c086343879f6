//! The paths that existing clients know: `/api/admin/v3.0`.
//!
//! Fields, statuses and texts are what those clients compare; unknown fields
//! of a body are ignored, as the service they were made for does.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use serde::{Deserialize, Serialize};

use super::body::Sent;
use super::entries::{self, Counted};
use super::fault::Fault;
use super::path::{AppPath, EntryPath, GroupPath};
use super::protect::Protect;
use super::wire::{EntryIn, EntryOut, address, json};
use crate::access_list::Address;
use crate::app::{App, Mode};
use crate::command::{AppRef, Command, NewApp, NewEntry, Outcome};
use crate::control::Control;
use crate::id::ObjectId;
use crate::store::StoreError;

/// The one product that apps are listed under.
const PRODUCT: &str = "standard";

const NO_CURRENT_ADDRESS: &str = "use_current: there is no client address on the control socket; `filterctl accesslist create --use-current` finds yours itself, or send it as address";

#[derive(Deserialize)]
struct ListQuery {
    product: Option<String>,
}

#[derive(Deserialize)]
struct NewAppIn {
    name: String,
}

/// An app with the fields that the clients decode. Where an app runs means
/// nothing here; the fields are there because clients expect texts.
#[derive(Serialize)]
struct AdminApp<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    client_app_id: &'a str,
    name: &'a str,
    location: &'static str,
    provider_region: &'static str,
    deployment_model: &'static str,
    domain_id: ObjectId,
    group_id: ObjectId,
    last_used: i64,
    last_modified: i64,
    product: &'static str,
    environment: &'static str,
}

#[derive(Serialize)]
struct Description<'a> {
    client_app_id: &'a str,
    name: &'a str,
    realm_url: String,
    data_sources: [(); 0],
    http_endpoints: [(); 0],
    services: [(); 0],
    auth_providers: [(); 0],
    custom_user_data: Nothing,
    values: [(); 0],
    hosting: Nothing,
    functions: [(); 0],
    sync: Nothing,
    graphql: GraphQl,
    environment: &'static str,
    event_subscription: [(); 0],
    log_forwarders: [(); 0],
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct GraphQl {
    url: String,
    custom_resolvers: [(); 0],
}

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/groups/{group}/apps", get(list_apps).post(create_app))
        .route("/groups/{group}/apps/{app}", get(show_app).delete(delete_app))
        .route("/groups/{group}/apps/{app}/description", get(describe_app))
        .route(
            "/groups/{group}/apps/{app}/security/access_list",
            get(list_entries).post(create_entry),
        )
        .route(
            "/groups/{group}/apps/{app}/security/access_list/{entry}",
            patch(update_entry).delete(delete_entry),
        )
}

/// An app of a group, or what is missing.
pub(super) fn find_app(control: &Control, app: AppRef) -> Result<Arc<App>, Fault> {
    let state = control.store().state();
    if !state.groups.contains_key(&app.group) {
        return Err(StoreError::GroupNotFound(app.group).into());
    }
    let found = state.apps.get(&app.app).filter(|found| found.group == app.group);
    found.cloned().ok_or_else(|| StoreError::AppNotFound(app.app).into())
}

/// The apps of a group, oldest first, or the group is missing.
pub(super) fn find_apps(control: &Control, group: ObjectId) -> Result<Vec<Arc<App>>, Fault> {
    let state = control.store().state();
    if !state.groups.contains_key(&group) {
        return Err(StoreError::GroupNotFound(group).into());
    }
    Ok(state.apps.values().filter(|app| app.group == group).cloned().collect())
}

async fn list_apps(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(query) =
        query.map_err(|rejection| Fault::parameter(format!("query: {}", rejection.body_text())))?;
    let mut apps = find_apps(&control, group)?;
    if query.product.is_some_and(|products| products.split(',').all(|p| p.trim() != PRODUCT)) {
        apps.clear();
    }
    Ok(json(&apps.iter().map(|app| AdminApp::from(app.as_ref())).collect::<Vec<_>>()))
}

async fn create_app(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
    protect: Protect,
    Sent(new): Sent<NewAppIn>,
) -> Result<Response, Fault> {
    let everywhere = Address::parse("0.0.0.0/0").expect("all of IPv4 is an address");
    let app = NewApp {
        name: new.name,
        mode: Mode::Enforce,
        scopes: Vec::new(),
        trusted_hops: Vec::new(),
        entries: vec![NewEntry { address: everywhere, comment: String::new() }],
    };
    let (outcome, in_force) = protect.execute(&control, Command::CreateApp { group, app }).await?;
    let app = app_of(outcome)?;
    Ok(in_force.with((StatusCode::CREATED, json(&AdminApp::from(app.as_ref())))))
}

async fn show_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    Ok(json(&AdminApp::from(find_app(&control, app)?.as_ref())))
}

pub(super) async fn delete_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
    protect: Protect,
) -> Result<Response, Fault> {
    let (_, in_force) = protect.execute(&control, Command::DeleteApp { app }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

async fn describe_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let found = find_app(&control, app)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let base = format!("http://{}", host.filter(|host| !host.is_empty()).unwrap_or("localhost"));
    Ok(json(&Description {
        client_app_id: &found.client_app_id,
        name: &found.name,
        realm_url: format!("{base}/groups/{}/apps/{}/dashboard", app.group, app.app),
        data_sources: [],
        http_endpoints: [],
        services: [],
        auth_providers: [],
        custom_user_data: Nothing {},
        values: [],
        hosting: Nothing {},
        functions: [],
        sync: Nothing {},
        graphql: GraphQl {
            url: format!("{base}/api/client/v2.0/app/{}/graphql", found.client_app_id),
            custom_resolvers: [],
        },
        environment: "",
        event_subscription: [],
        log_forwarders: [],
    }))
}

async fn list_entries(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    // A list is shown also when the kernel does not tell its hits.
    let hits = control.hits().await.inspect_err(|error| {
        tracing::warn!("the hits cannot be read from the kernel: {error:#}");
    });
    let list = find_app(&control, app)?.list.clone();
    Ok(entries::answer(Counted { list, hits: hits.ok() }))
}

async fn create_entry(
    State(control): State<Control>,
    AppPath(app): AppPath,
    protect: Protect,
    Sent(new): Sent<EntryIn>,
) -> Result<Response, Fault> {
    refuse_current(&new)?;
    let address = address(new.address.as_deref().unwrap_or_default())?;
    let entry = NewEntry { address, comment: new.comment.unwrap_or_default() };
    let command = Command::CreateEntry { app, entry };
    let (outcome, in_force) = protect.execute(&control, command).await?;
    Ok(in_force.with((StatusCode::CREATED, entry_answer(&outcome))))
}

/// An empty or missing address and a missing comment stay as they are: one
/// client always sends an address, another never sends what did not change.
async fn update_entry(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    protect: Protect,
    Sent(change): Sent<EntryIn>,
) -> Result<Response, Fault> {
    refuse_current(&change)?;
    let text = change.address.filter(|text| !text.trim().is_empty());
    let address = text.as_deref().map(address).transpose()?;
    let command = Command::UpdateEntry { app, entry, address, comment: change.comment };
    let (outcome, in_force) = protect.execute(&control, command).await?;
    Ok(in_force.with(entry_answer(&outcome)))
}

async fn delete_entry(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    protect: Protect,
) -> Result<Response, Fault> {
    let (_, in_force) = protect.execute(&control, Command::DeleteEntry { app, entry }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

fn refuse_current(entry: &EntryIn) -> Result<(), Fault> {
    match entry.use_current {
        Some(true) => Err(Fault::parameter(NO_CURRENT_ADDRESS)),
        Some(false) | None => Ok(()),
    }
}

/// The app that a command made or changed.
pub(super) fn app_of(outcome: Outcome) -> Result<Arc<App>, Fault> {
    match outcome {
        Outcome::App(app) => Ok(app),
        Outcome::Entry(_) | Outcome::Deleted | Outcome::Imported { .. } | Outcome::Settings(_) => {
            Err(unexpected())
        }
    }
}

fn entry_answer(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Entry(entry) => json(&EntryOut::from(entry.as_ref())),
        Outcome::App(_) | Outcome::Deleted | Outcome::Imported { .. } | Outcome::Settings(_) => {
            unexpected().into_response()
        }
    }
}

/// The store answers each command with its own kind of outcome.
pub(super) fn unexpected() -> Fault {
    Fault::internal("the store answered something else than what was asked")
}

impl<'a> From<&'a App> for AdminApp<'a> {
    fn from(app: &'a App) -> Self {
        Self {
            id: app.id,
            client_app_id: &app.client_app_id,
            name: &app.name,
            location: "",
            provider_region: "",
            deployment_model: "LOCAL",
            domain_id: app.group,
            group_id: app.group,
            last_used: 0,
            last_modified: app.last_modified,
            product: PRODUCT,
            environment: "",
        }
    }
}
