//! The ids in a path.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::document::path_parameter;
use super::fault::Fault;
use crate::command::AppRef;
use crate::id::ObjectId;

/// `/groups/{group}`.
pub(super) struct GroupPath(pub(super) ObjectId);

/// `/groups/{group}/apps/{app}`.
pub(super) struct AppPath(pub(super) AppRef);

/// `/groups/{group}/apps/{app}/…/{entry}`.
pub(super) struct EntryPath(pub(super) AppRef, pub(super) ObjectId);

/// `/groups/{group}/apps/{app}/…/{version}`.
pub(super) struct VersionPath(pub(super) AppRef, pub(super) u64);

/// `/keys/{key}`.
pub(super) struct KeyPath(pub(super) ObjectId);

/// `/keys/{key}/access_list/{entry}`.
pub(super) struct KeySourcePath(pub(super) ObjectId, pub(super) ObjectId);

impl<S: Send + Sync> FromRequestParts<S> for GroupPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        Ok(Self(id(&params(parts, state).await?, "group")?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AppPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let params = params(parts, state).await?;
        Ok(Self(AppRef { group: id(&params, "group")?, app: id(&params, "app")? }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EntryPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let params = params(parts, state).await?;
        let app = AppRef { group: id(&params, "group")?, app: id(&params, "app")? };
        Ok(Self(app, id(&params, "entry")?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for VersionPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let params = params(parts, state).await?;
        let app = AppRef { group: id(&params, "group")?, app: id(&params, "app")? };
        let version = text(&params, "version");
        let fault = || Fault::parameter(format!("version: {version:?} is not the number of one"));
        Ok(Self(app, version.parse().map_err(|_| fault())?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeyPath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        Ok(Self(id(&params(parts, state).await?, "key")?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeySourcePath {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let params = params(parts, state).await?;
        Ok(Self(id(&params, "key")?, id(&params, "entry")?))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Fault> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|rejection| Fault::parameter(format!("path: {}", rejection.body_text())))
}

fn id(params: &RawPathParams, name: &str) -> Result<ObjectId, Fault> {
    text(params, name).parse().map_err(|error| Fault::parameter(format!("{name}: {error}")))
}

fn text<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

impl IntoParams for GroupPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path_parameter::<ObjectId>("group", "The group")]
    }
}

impl IntoParams for AppPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            path_parameter::<ObjectId>("group", "The group"),
            path_parameter::<ObjectId>("app", "The app: its `_id`"),
        ]
    }
}

impl IntoParams for EntryPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            path_parameter::<ObjectId>("group", "The group"),
            path_parameter::<ObjectId>("app", "The app: its `_id`"),
            path_parameter::<ObjectId>("entry", "The entry"),
        ]
    }
}

impl IntoParams for VersionPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            path_parameter::<ObjectId>("group", "The group"),
            path_parameter::<ObjectId>("app", "The app: its `_id`"),
            path_parameter::<u64>("version", "The version's number"),
        ]
    }
}

impl IntoParams for KeyPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path_parameter::<ObjectId>("key", "The API key")]
    }
}

impl IntoParams for KeySourcePath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            path_parameter::<ObjectId>("key", "The API key"),
            path_parameter::<ObjectId>("entry", "The entry"),
        ]
    }
}
