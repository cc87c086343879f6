//! Logging in and out as existing clients do it: `/api/admin/v3.0/auth`.
//!
//! Statuses and texts are what those clients compare. On the control socket
//! nobody has to log in, and everybody can.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Sent;
use super::fault::Fault;
use super::guard::{Whence, bearer};
use super::open::{CLOUD, PROVIDERS};
use super::wire::json;
use crate::auth::AuthError;
use crate::caller::Caller;
use crate::control::Control;
use crate::id::ObjectId;
use crate::key::Key;

/// What the service that clients know puts in front of a refusal.
const REFUSED: &str = "failed to authenticate with MongoDB Cloud API: ";

/// What a login may be at most: two short texts. Whoever sends it is nobody
/// yet.
const LOGIN_BYTES: usize = 16 << 10;

/// Nobody's id: clients want to be told their device's.
const NO_ID: &str = "000000000000000000000000";

/// Both halves of an API key.
#[derive(Deserialize, ToSchema)]
struct LoginIn {
    username: String,
    #[serde(alias = "password")]
    #[serde(rename = "apiKey")]
    secret: String,
}

#[derive(Serialize, ToSchema)]
struct LoginOut {
    access_token: String,
    refresh_token: String,
    user_id: ObjectId,
    device_id: &'static str,
}

#[derive(Serialize, ToSchema)]
struct SessionOut {
    access_token: String,
}

#[derive(Serialize, ToSchema)]
struct ProfileOut<'a> {
    user_id: String,
    domain_id: &'static str,
    identities: Vec<IdentityOut<'a>>,
    data: ProfileData<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    roles: Vec<RoleOut>,
}

#[derive(Serialize, ToSchema)]
struct IdentityOut<'a> {
    id: ObjectId,
    provider_type: &'static str,
    provider_id: &'a str,
}

#[derive(Serialize, ToSchema)]
struct ProfileData<'a> {
    email: &'static str,
    name: &'a str,
}

#[derive(Serialize, ToSchema)]
struct RoleOut {
    role_name: &'static str,
    group_id: ObjectId,
}

/// What answers without an access token.
pub(super) fn open_router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(log_in)).routes(routes!(refresh, log_out))
}

/// What needs one, below `/api/admin/v3.0`.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(profile))
}

/// Logs in with an API key.
#[utoipa::path(
    post, path = "/api/admin/v3.0/auth/providers/{provider}/login",
    operation_id = "adminLogin", tag = "auth",
    params(("provider" = String, Path, description = "`mongodb-cloud`")),
    request_body = LoginIn,
    responses(
        (
            status = 200,
            description = "An access token, and a refresh token to get others with",
            body = LoginOut,
        ),
    ),
)]
async fn log_in(
    State(control): State<Control>,
    Path(provider): Path<String>,
    Whence(from): Whence,
    Sent(sent): Sent<LoginIn, LOGIN_BYTES>,
) -> Result<Response, Fault> {
    if !PROVIDERS.contains(&provider.as_str()) {
        let text = format!("there is no provider {provider:?}: use {}", PROVIDERS.join(" or "));
        return Err(Fault::not_found("NotFound", text));
    }
    let tokens = control.auth().log_in(&sent.username, &sent.secret, from).await;
    let tokens = tokens.map_err(refused)?;
    Ok(json(&LoginOut {
        access_token: tokens.access,
        refresh_token: tokens.refresh,
        user_id: tokens.key,
        device_id: NO_ID,
    }))
}

fn refused(error: AuthError) -> Fault {
    match error {
        AuthError::WrongKey | AuthError::NotListed { .. } => Fault::from(error).prefixed(REFUSED),
        AuthError::LockedOut { .. }
        | AuthError::NoSession
        | AuthError::NotAnAccessToken
        | AuthError::NotARefreshToken
        | AuthError::UnknownRefreshToken
        | AuthError::Store(_) => error.into(),
    }
}

/// Gets another access token for the refresh token that is sent as bearer token.
#[utoipa::path(
    post, path = "/api/admin/v3.0/auth/session",
    operation_id = "adminCreateSession", tag = "auth",
    responses((status = 201, description = "Another access token", body = SessionOut)),
)]
async fn refresh(
    State(control): State<Control>,
    Whence(from): Whence,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let access_token = control.auth().refresh(bearer(&headers), from).await?;
    Ok((StatusCode::CREATED, json(&SessionOut { access_token })).into_response())
}

/// Ends the session of the refresh token that is sent as bearer token.
#[utoipa::path(
    delete, path = "/api/admin/v3.0/auth/session",
    operation_id = "adminDeleteSession", tag = "auth",
    responses((status = 204, description = "Its tokens are good no more")),
)]
async fn log_out(
    State(control): State<Control>,
    Whence(from): Whence,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    control.auth().log_out(bearer(&headers), from).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Every administrator has a role in every group.
#[utoipa::path(
    get, path = "/auth/profile",
    operation_id = "adminGetProfile", tag = "auth",
    responses(
        (status = 200, description = "Whose token it is, and what he may do", body = ProfileOut),
    ),
)]
async fn profile(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    key: Option<Extension<Arc<Key>>>,
) -> Response {
    let state = control.store().state();
    let key = key.as_ref().map(|Extension(key)| key);
    let role = |group: &ObjectId| RoleOut { role_name: "GROUP_OWNER", group_id: *group };
    json(&ProfileOut {
        user_id: key.map_or_else(|| NO_ID.to_owned(), |key| key.id.to_string()),
        domain_id: NO_ID,
        identities: key.into_iter().map(|key| IdentityOut::of(key)).collect(),
        data: ProfileData { email: "", name: key.map_or(&caller.who, |key| &key.public) },
        kind: if key.is_some() { "normal" } else { "system" },
        roles: state.groups.keys().map(role).collect(),
    })
}

impl<'a> IdentityOut<'a> {
    fn of(key: &'a Key) -> Self {
        Self { id: key.id, provider_type: CLOUD, provider_id: &key.public }
    }
}
