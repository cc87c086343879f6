//! API keys and their access lists: `/api/filter/v1/keys`.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::unexpected;
use super::asker::{Asker, InForce};
use super::body::Sent;
use super::fault::Fault;
use super::path::{KeyPath, KeySourcePath};
use super::wire::{self, json, time};
use crate::auth::{NewSecret, public_half};
use crate::caller::Caller;
use crate::command::{Command, KeyCommand, KeyOutcome, NewKey, NewKeySource};
use crate::control::Control;
use crate::id::ObjectId;
use crate::key::{Key, KeySource};
use crate::key_use::Use;
use crate::store::StoreError;

const NO_ADDRESS: &str = "address: is missing: give an IP address or a CIDR, or set use_current";
const BOTH_ADDRESSES: &str = "use_current: there is an address beside it: send one or the other";
const NO_CURRENT: &str =
    "use_current: there is no client address on the control socket: send it as address";

/// A key to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyIn {
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    #[serde(default)]
    access_list: Vec<SourceIn>,
}

/// What of a key is to be different.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyChange {
    enabled: bool,
}

/// An entry of a key's access list to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SourceIn {
    #[schema(example = "203.0.113.0/24")]
    address: Option<String>,
    #[serde(default)]
    use_current: bool,
    #[serde(default)]
    #[schema(max_length = 1024)]
    comment: String,
}

/// An API key.
#[derive(Serialize, ToSchema)]
struct KeyOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    public_key: &'a str,
    /// Only when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<&'a str>,
    description: &'a str,
    enabled: bool,
    created: String,
    created_by: &'a str,
    access_list: Vec<SourceOut<'a>>,
    #[serde(flatten)]
    seen: UseOut,
}

/// An entry of a key's access list.
#[derive(Serialize, ToSchema)]
struct SourceOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    address: &'a str,
    comment: &'a str,
    created: String,
    #[serde(flatten)]
    seen: UseOut,
}

/// How often it was used, and when and from where last.
#[derive(Serialize, ToSchema)]
struct UseOut {
    count: u64,
    last_used: Option<String>,
    #[schema(value_type = Option<String>)]
    last_used_address: Option<IpAddr>,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(list, create))
        .routes(routes!(show, update, remove))
        .routes(routes!(list_sources, create_source))
        .routes(routes!(remove_source))
}

/// Lists the API keys.
#[utoipa::path(
    get, path = "/keys",
    operation_id = "listKeys", tag = "keys",
    responses((status = 200, description = "The API keys, oldest first", body = Vec<KeyOut>)),
)]
async fn list(State(control): State<Control>) -> Response {
    let state = control.store().state();
    json(&state.keys.values().map(|key| KeyOut::of(key, &control)).collect::<Vec<_>>())
}

/// Makes an API key.
#[utoipa::path(
    post, path = "/keys",
    operation_id = "createKey", tag = "keys",
    params(Asker),
    request_body = KeyIn,
    responses(
        (
            status = 201,
            description = "It is made; the private half is told this once",
            body = KeyOut,
        ),
    ),
)]
async fn create(
    State(control): State<Control>,
    asker: Asker,
    Sent(new): Sent<KeyIn>,
) -> Result<Response, Fault> {
    let private = NewSecret::private_half();
    let sources = new.access_list.into_iter().enumerate().map(|(position, source)| {
        source.parts(&asker.caller).map_err(|fault| fault.within("access_list", position))
    });
    let key = NewKey {
        public: public_half().into(),
        secret: private.hash(),
        description: new.description,
        sources: sources.collect::<Result<_, _>>()?,
    };
    let (outcome, in_force) = execute(asker, &control, KeyCommand::Create { key }).await?;
    let key = outcome.into_key().ok_or_else(unexpected)?;
    let answer = KeyOut { private_key: Some(private.text()), ..KeyOut::of(&key, &control) };
    Ok(in_force.with((StatusCode::CREATED, json(&answer))))
}

/// Shows an API key.
#[utoipa::path(
    get, path = "/keys/{key}",
    operation_id = "showKey", tag = "keys",
    params(KeyPath),
    responses((status = 200, description = "The API key", body = KeyOut)),
)]
async fn show(State(control): State<Control>, KeyPath(key): KeyPath) -> Result<Response, Fault> {
    let state = control.store().state();
    let key = state.keys.get(&key).ok_or(StoreError::KeyNotFound(key))?;
    Ok(json(&KeyOut::of(key, &control)))
}

/// Switches an API key on, or off with all its sessions.
#[utoipa::path(
    patch, path = "/keys/{key}",
    operation_id = "updateKey", tag = "keys",
    params(KeyPath, Asker),
    request_body = KeyChange,
    responses((status = 200, description = "The API key as it is now", body = KeyOut)),
)]
async fn update(
    State(control): State<Control>,
    KeyPath(key): KeyPath,
    asker: Asker,
    Sent(KeyChange { enabled }): Sent<KeyChange>,
) -> Result<Response, Fault> {
    let command = KeyCommand::Enable { key, enabled };
    let (outcome, in_force) = execute(asker, &control, command).await?;
    let key = outcome.into_key().ok_or_else(unexpected)?;
    Ok(in_force.with(json(&KeyOut::of(&key, &control))))
}

/// Deletes an API key with all its sessions.
#[utoipa::path(
    delete, path = "/keys/{key}",
    operation_id = "deleteKey", tag = "keys",
    params(KeyPath, Asker),
    responses((status = 204, description = "It is gone")),
)]
async fn remove(
    State(control): State<Control>,
    KeyPath(key): KeyPath,
    asker: Asker,
) -> Result<Response, Fault> {
    let (_, in_force) = execute(asker, &control, KeyCommand::Delete { key }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

/// Lists from where an API key can be used: from anywhere if there is nothing.
#[utoipa::path(
    get, path = "/keys/{key}/access_list",
    operation_id = "listKeyAccessList", tag = "keys",
    params(KeyPath),
    responses(
        (
            status = 200,
            description = "The entries in the order of their making",
            body = Vec<SourceOut>,
        ),
    ),
)]
async fn list_sources(
    State(control): State<Control>,
    KeyPath(key): KeyPath,
) -> Result<Response, Fault> {
    let state = control.store().state();
    let key = state.keys.get(&key).ok_or(StoreError::KeyNotFound(key))?;
    Ok(json(&sources(key, &control)))
}

/// Adds to the access list of an API key.
#[utoipa::path(
    post, path = "/keys/{key}/access_list",
    operation_id = "createKeyAccessListEntry", tag = "keys",
    params(KeyPath, Asker),
    request_body = SourceIn,
    responses((status = 201, description = "It is on the list", body = SourceOut)),
)]
async fn create_source(
    State(control): State<Control>,
    KeyPath(key): KeyPath,
    asker: Asker,
    Sent(new): Sent<SourceIn>,
) -> Result<Response, Fault> {
    let source = new.parts(&asker.caller)?;
    let command = KeyCommand::CreateSource { key, source };
    let (outcome, in_force) = execute(asker, &control, command).await?;
    let source = outcome.into_source().ok_or_else(unexpected)?;
    Ok(in_force.with((StatusCode::CREATED, json(&SourceOut::of(&source, &control)))))
}

/// Takes an entry off the access list of an API key.
#[utoipa::path(
    delete, path = "/keys/{key}/access_list/{entry}",
    operation_id = "deleteKeyAccessListEntry", tag = "keys",
    params(KeySourcePath, Asker),
    responses((status = 204, description = "It is gone")),
)]
async fn remove_source(
    State(control): State<Control>,
    KeySourcePath(key, source): KeySourcePath,
    asker: Asker,
) -> Result<Response, Fault> {
    let command = KeyCommand::DeleteSource { key, source };
    let (_, in_force) = execute(asker, &control, command).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

async fn execute(
    asker: Asker,
    control: &Control,
    command: KeyCommand,
) -> Result<(KeyOutcome, InForce), Fault> {
    let (outcome, in_force) = asker.execute(control, Command::Key(command)).await?;
    Ok((outcome.into_key().ok_or_else(unexpected)?, in_force))
}

fn sources<'a>(key: &'a Key, control: &Control) -> Vec<SourceOut<'a>> {
    key.sources.iter().map(|source| SourceOut::of(source, control)).collect()
}

impl SourceIn {
    fn parts(self, caller: &Caller) -> Result<NewKeySource, Fault> {
        let current = || caller.from.address().ok_or_else(|| Fault::parameter(NO_CURRENT));
        let address = match (self.address, self.use_current) {
            (Some(text), false) => wire::address(&text)?,
            (None, true) => wire::address(&current()?.to_string())?,
            (Some(_), true) => return Err(Fault::parameter(BOTH_ADDRESSES)),
            (None, false) => return Err(Fault::parameter(NO_ADDRESS)),
        };
        Ok(NewKeySource { address, comment: self.comment })
    }
}

impl<'a> KeyOut<'a> {
    fn of(key: &'a Key, control: &Control) -> Self {
        Self {
            id: key.id,
            public_key: &key.public,
            private_key: None,
            description: &key.description,
            enabled: key.enabled,
            created: time(key.created),
            created_by: &key.created_by,
            access_list: sources(key, control),
            seen: control.store().use_of(key.id).into(),
        }
    }
}

impl<'a> SourceOut<'a> {
    fn of(source: &'a KeySource, control: &Control) -> Self {
        Self {
            id: source.id,
            address: source.address.text(),
            comment: &source.comment,
            created: time(source.created),
            seen: control.store().use_of(source.id).into(),
        }
    }
}

impl From<Option<Use>> for UseOut {
    fn from(seen: Option<Use>) -> Self {
        Self {
            count: seen.map_or(0, |seen| seen.count),
            last_used: seen.map(|seen| time(seen.last)),
            last_used_address: seen.and_then(|seen| seen.address),
        }
    }
}
