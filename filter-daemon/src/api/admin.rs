//! The paths that existing clients know: `/api/admin/v3.0`.
//!
//! Fields, statuses and texts are what those clients compare; unknown fields
//! of a body are ignored, as the service they were made for does.

mod access_list;
mod origins;

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asker::Asker;
use super::body::Sent;
use super::fault::Fault;
use super::path::{AppPath, GroupPath};
use super::wire::json;
use crate::access_list::Address;
use crate::app::App;
use crate::caller::Caller;
use crate::command::{AppFields, AppRef, Command, NewApp, NewEntry, Outcome};
use crate::control::Control;
use crate::id::ObjectId;
use crate::store::StoreError;

/// The one product that apps are listed under.
const PRODUCT: &str = "standard";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `standard`, or several products with commas between them; without it
    /// as with `standard`.
    product: Option<String>,
}

/// An app to be.
#[derive(Deserialize, ToSchema)]
struct NewAppIn {
    /// Starts with a letter; letters, digits, `_` and `-`.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,63}$", example = "web")]
    name: String,
}

/// An app with the fields that the clients decode. Where an app runs means
/// nothing here; the fields are there because clients expect texts.
#[derive(Serialize, ToSchema)]
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

/// Everything about an app that the clients ask for. Most of it does not exist
/// here; it is there, and empty.
#[derive(Serialize, ToSchema)]
struct Description<'a> {
    client_app_id: &'a str,
    name: &'a str,
    realm_url: String,
    #[schema(value_type = Vec<Nothing>)]
    data_sources: [(); 0],
    #[schema(value_type = Vec<Nothing>)]
    http_endpoints: [(); 0],
    #[schema(value_type = Vec<Nothing>)]
    services: [(); 0],
    #[schema(value_type = Vec<Nothing>)]
    auth_providers: [(); 0],
    custom_user_data: Nothing,
    #[schema(value_type = Vec<Nothing>)]
    values: [(); 0],
    hosting: Nothing,
    #[schema(value_type = Vec<Nothing>)]
    functions: [(); 0],
    sync: Nothing,
    graphql: GraphQl,
    environment: &'static str,
    #[schema(value_type = Vec<Nothing>)]
    event_subscription: [(); 0],
    #[schema(value_type = Vec<Nothing>)]
    log_forwarders: [(); 0],
}

#[derive(Serialize, ToSchema)]
struct Nothing {}

#[derive(Serialize, ToSchema)]
struct GraphQl {
    url: String,
    #[schema(value_type = Vec<Nothing>)]
    custom_resolvers: [(); 0],
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(list_apps, create_app))
        .routes(routes!(show_app, delete_app))
        .routes(routes!(describe_app))
        .routes(routes!(access_list::list, access_list::create))
        .routes(routes!(access_list::update, access_list::delete))
        .routes(routes!(origins::list, origins::replace))
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

/// Lists the apps of a group.
#[utoipa::path(
    get, path = "/groups/{group}/apps",
    operation_id = "adminListApplications", tag = "admin apps",
    params(GroupPath, ListQuery),
    responses((status = 200, description = "The apps, oldest first", body = Vec<AdminApp>)),
)]
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

/// Makes an app whose list lets in all of IPv4.
#[utoipa::path(
    post, path = "/groups/{group}/apps",
    operation_id = "adminCreateApplication", tag = "admin apps",
    params(GroupPath, Asker),
    request_body = NewAppIn,
    responses((status = 201, description = "It is made", body = AdminApp)),
)]
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

/// Shows an app.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}",
    operation_id = "adminGetApplication", tag = "admin apps",
    params(AppPath),
    responses((status = 200, description = "The app", body = AdminApp)),
)]
async fn show_app(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    Ok(json(&AdminApp::from(find_app(&control, app)?.as_ref())))
}

/// Deletes an app with its list and the list's history.
#[utoipa::path(
    delete, path = "/groups/{group}/apps/{app}",
    operation_id = "adminDeleteApplication", tag = "admin apps",
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

/// Describes an app.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/description",
    operation_id = "adminGetApplicationDescription", tag = "admin apps",
    params(AppPath),
    responses((status = 200, description = "The app", body = Description)),
)]
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

/// The app that a command made or changed.
pub(super) fn app_of(outcome: Outcome) -> Result<Arc<App>, Fault> {
    outcome.into_app().ok_or_else(unexpected)
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
