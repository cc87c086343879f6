//! The paths that existing clients know: `/api/admin/v3.0`.
//!
//! Fields, statuses and texts are what those clients compare; unknown fields
//! of a body are ignored, as the service they were made for does.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{get, patch};
use axum::{Extension, Router};
use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::body::Sent;
use super::entries::{self, ListForm};
use super::fault::Fault;
use super::path::{AppPath, EntryPath, GroupPath};
use super::wire::{self, AdminEntry, EntryIn, json};
use crate::access_list::{Address, Entry, EntryFields};
use crate::app::App;
use crate::caller::Caller;
use crate::command::{AppFields, AppRef, Command, NewApp, NewEntry, Outcome};
use crate::control::Control;
use crate::id::ObjectId;
use crate::origin::Origin;
use crate::store::StoreError;

/// The one product that apps are listed under.
const PRODUCT: &str = "standard";

const NO_CURRENT_ADDRESS: &str = "use_current: there is no client address on the control socket; `filterctl accesslist create --use-current` finds yours itself, or send it as address";

const BOTH_ADDRESSES: &str = "use_current: there is an address beside it: send one or the other";

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
        .route(
            "/groups/{group}/apps/{app}/security/allowed_request_origins",
            get(list_origins).post(replace_origins),
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
    let Query(query) = query.map_err(|rejection| Fault::query(&rejection))?;
    let mut apps = find_apps(&control, group)?;
    if query.product.is_some_and(|products| products.split(',').all(|p| p.trim() != PRODUCT)) {
        apps.clear();
    }
    Ok(json(&apps.iter().map(|app| AdminApp::from(app.as_ref())).collect::<Vec<_>>()))
}

async fn create_app(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
    asker: Asker,
    Sent(new): Sent<NewAppIn>,
) -> Result<Response, Fault> {
    let everywhere = Address::parse("0.0.0.0/0").expect("all of IPv4 is an address");
    let fields = AppFields { name: Some(new.name), ..AppFields::default() };
    let app = NewApp { fields, entries: vec![NewEntry::new(everywhere)] };
    let (outcome, in_force) = asker.execute(&control, Command::CreateApp { group, app }).await?;
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
    asker: Asker,
) -> Result<Response, Fault> {
    let (_, in_force) = asker.execute(&control, Command::DeleteApp { app }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

async fn describe_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let found = find_app(&control, app)?;
    let base = base_url(&caller, &uri, &headers);
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

/// The server as the client calls it. HTTP/2 says its name in the URI.
fn base_url(caller: &Caller, uri: &Uri, headers: &HeaderMap) -> String {
    let scheme = if caller.from.address().is_some() { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or(host).filter(|host| !host.is_empty());
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

async fn list_entries(
    State(control): State<Control>,
    AppPath(app): AppPath,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    let list = find_app(&control, app)?.list.clone();
    Ok(entries::answer(list, AdminList { current: caller.from.address() }))
}

async fn create_entry(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(new): Sent<EntryIn>,
) -> Result<Response, Fault> {
    let current = asker.caller.from.address();
    let address = address_of(&new, current)?;
    let address = address.map_or_else(|| wire::address(""), Ok)?;
    let fields = EntryFields { comment: new.comment, ..EntryFields::default() };
    let command = Command::CreateEntry { app, entry: NewEntry { address, fields } };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    let answer = entry_answer(outcome, current)?;
    Ok(in_force.with((StatusCode::CREATED, answer)))
}

/// An empty or missing address and a missing comment stay as they are: one
/// client always sends an address, another never sends what did not change.
async fn update_entry(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    asker: Asker,
    Sent(change): Sent<EntryIn>,
) -> Result<Response, Fault> {
    let current = asker.caller.from.address();
    let address = address_of(&change, current)?;
    let fields = EntryFields { comment: change.comment, ..EntryFields::default() };
    let command = Command::UpdateEntry { app, entry, address, fields };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    Ok(in_force.with(entry_answer(outcome, current)?))
}

async fn delete_entry(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    asker: Asker,
) -> Result<Response, Fault> {
    let (_, in_force) = asker.execute(&control, Command::DeleteEntry { app, entry }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

/// The address that is sent or meant, if one is.
fn address_of(sent: &EntryIn, current: Option<IpAddr>) -> Result<Option<Address>, Fault> {
    let text = sent.address.as_deref().filter(|text| !text.trim().is_empty());
    match (text, sent.use_current) {
        (text, Some(false) | None) => text.map(wire::address).transpose(),
        (Some(_), Some(true)) => Err(Fault::parameter(BOTH_ADDRESSES)),
        (None, Some(true)) => {
            let current = current.ok_or_else(|| Fault::parameter(NO_CURRENT_ADDRESS))?;
            wire::address(&current.to_string()).map(Some)
        }
    }
}

async fn list_origins(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    let app = find_app(&control, app)?;
    Ok(json(&app.origins.iter().map(Origin::text).collect::<Vec<_>>()))
}

async fn replace_origins(
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

/// The app that a command made or changed.
pub(super) fn app_of(outcome: Outcome) -> Result<Arc<App>, Fault> {
    outcome.into_app().ok_or_else(unexpected)
}

fn entry_answer(outcome: Outcome, current: Option<IpAddr>) -> Result<Response, Fault> {
    let entry = outcome.into_entry().ok_or_else(unexpected)?;
    Ok(json(&AdminEntry::new(&entry, current)))
}

/// The store answers each command with its own kind of outcome.
pub(super) fn unexpected() -> Fault {
    Fault::internal("the store answered something else than what was asked")
}

/// `{"allowed_ips":[…],"current_ip":"…"}`.
struct AdminList {
    current: Option<IpAddr>,
}

impl ListForm for AdminList {
    fn begin(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(br#"{"allowed_ips":["#);
    }

    fn entry(&self, entry: &Entry, text: &mut Vec<u8>) {
        entries::put(text, &AdminEntry::new(entry, self.current));
    }

    fn end(&self, text: &mut Vec<u8>) {
        text.push(b']');
        if let Some(current) = self.current {
            text.extend_from_slice(br#","current_ip":"#);
            entries::put(text, &current);
        }
        text.push(b'}');
    }
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
