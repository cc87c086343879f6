//! Logging in and out as existing clients do it: `/api/admin/v3.0/auth`.
//!
//! Statuses and texts are what those clients compare. On the control socket
//! nobody has to log in, and everybody can.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::{Deserialize, Serialize};

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

#[derive(Deserialize)]
struct LoginIn {
    username: String,
    #[serde(alias = "password")]
    #[serde(rename = "apiKey")]
    secret: String,
}

#[derive(Serialize)]
struct LoginOut {
    access_token: String,
    refresh_token: String,
    user_id: ObjectId,
    device_id: &'static str,
}

#[derive(Serialize)]
struct SessionOut {
    access_token: String,
}

#[derive(Serialize)]
struct ProfileOut<'a> {
    user_id: String,
    domain_id: &'static str,
    identities: Vec<IdentityOut<'a>>,
    data: ProfileData<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    roles: Vec<RoleOut>,
}

#[derive(Serialize)]
struct IdentityOut<'a> {
    id: ObjectId,
    provider_type: &'static str,
    provider_id: &'a str,
}

#[derive(Serialize)]
struct ProfileData<'a> {
    email: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct RoleOut {
    role_name: &'static str,
    group_id: ObjectId,
}

/// What answers without an access token.
pub(super) fn open_router() -> Router<Control> {
    Router::new()
        .route("/api/admin/v3.0/auth/providers/{provider}/login", post(log_in))
        .route("/api/admin/v3.0/auth/session", post(refresh).delete(log_out))
}

/// What needs one, below `/api/admin/v3.0`.
pub(super) fn router() -> Router<Control> {
    Router::new().route("/auth/profile", get(profile))
}

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

async fn refresh(
    State(control): State<Control>,
    Whence(from): Whence,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let access_token = control.auth().refresh(bearer(&headers), from).await?;
    Ok((StatusCode::CREATED, json(&SessionOut { access_token })).into_response())
}

async fn log_out(
    State(control): State<Control>,
    Whence(from): Whence,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    control.auth().log_out(bearer(&headers), from).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Every administrator has a role in every group.
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
