//! Access lists with everything that filterd knows of them, below
//! `/api/filter/v1/groups/{group}/apps/{app}/access_list`.
//!
//! `?address=` asks for the one entry that stands for an address, in whatever
//! spelling: what it costs does not grow with the list.

mod effective;
mod entry;
mod import;
mod versions;

use std::collections::HashMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::{find_app, unexpected};
use super::asker::Asker;
use super::body::Sent;
use super::entries::{self, ListForm};
use super::fault::Fault;
use super::path::{AppPath, EntryPath};
use super::wire::{address, json};
use crate::access_list::Entry;
use crate::command::{Command, NewEntry, Outcome};
use crate::control::Control;
use crate::observe::EntryHits;
use entry::{EntryChange, EntryIn, EntryOut, Standing};
pub(super) use import::ChangeOut;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only the entry that stands for this address or CIDR, in any spelling.
    address: Option<String>,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(list, create))
        .routes(routes!(update, delete))
        .routes(routes!(effective::effective))
        .routes(routes!(import::import))
        .routes(routes!(versions::versions))
        .routes(routes!(versions::version))
        .routes(routes!(versions::diff))
        .routes(routes!(versions::restore))
}

/// Lists the entries of an access list, with what the kernel counted.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/access_list",
    operation_id = "listEntries", tag = "access list",
    params(AppPath, Wanted),
    responses(
        (
            status = 200,
            description = "The entries in the order of their making",
            body = EntryListOut,
        ),
    ),
)]
async fn list(
    State(control): State<Control>,
    AppPath(app): AppPath,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(wanted) = query.map_err(|rejection| Fault::query(&rejection))?;
    let wanted = wanted.address.as_deref().map(address).transpose()?;
    // A list is shown also when the kernel does not tell its hits.
    let hits = control.hits().await.inspect_err(|error| {
        tracing::warn!("the hits cannot be read from the kernel: {error:#}");
    });
    let app = find_app(&control, app)?;
    let list = wanted.map_or_else(|| app.list.clone(), |wanted| app.list.only(wanted.prefix()));
    let form = OwnList { version: list.version, hits: hits.ok(), standing: Standing::of(&control) };
    Ok(entries::answer(list, form))
}

/// Adds an entry.
#[utoipa::path(
    post, path = "/groups/{group}/apps/{app}/access_list",
    operation_id = "createEntry", tag = "access list",
    params(AppPath, Asker),
    request_body = EntryIn,
    responses((status = 201, description = "It is on the list", body = EntryOut)),
)]
async fn create(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(new): Sent<EntryIn>,
) -> Result<Response, Fault> {
    let (address, fields) = new.parts(&asker.caller)?;
    let entry = NewEntry { address, fields };
    let (outcome, in_force) = asker.execute(&control, Command::CreateEntry { app, entry }).await?;
    let answer = answer(&control, outcome)?;
    Ok(in_force.with((StatusCode::CREATED, answer)))
}

/// Changes an entry in its place.
#[utoipa::path(
    patch, path = "/groups/{group}/apps/{app}/access_list/{entry}",
    operation_id = "updateEntry", tag = "access list",
    params(EntryPath, Asker),
    request_body = EntryChange,
    responses((status = 200, description = "The entry as it is now", body = EntryOut)),
)]
async fn update(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    asker: Asker,
    Sent(change): Sent<EntryChange>,
) -> Result<Response, Fault> {
    let (address, fields) = change.parts(&asker.caller)?;
    let command = Command::UpdateEntry { app, entry, address, fields };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    let answer = answer(&control, outcome)?;
    Ok(in_force.with(answer))
}

/// Takes an entry off.
#[utoipa::path(
    delete, path = "/groups/{group}/apps/{app}/access_list/{entry}",
    operation_id = "deleteEntry", tag = "access list",
    params(EntryPath, Asker),
    responses((status = 204, description = "It is gone")),
)]
async fn delete(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    asker: Asker,
) -> Result<Response, Fault> {
    let (_, in_force) = asker.execute(&control, Command::DeleteEntry { app, entry }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

fn answer(control: &Control, outcome: Outcome) -> Result<Response, Fault> {
    let entry = outcome.into_entry().ok_or_else(unexpected)?;
    Ok(json(&EntryOut::new(&entry, &Standing::of(control))))
}

/// An access list, or what it was.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a list is written piece by piece; this only describes it")]
struct EntryListOut<'a> {
    version: u64,
    entries: Vec<EntryOut<'a>>,
}

/// `{"version":…,"entries":[…]}`.
struct OwnList {
    version: u64,
    /// What the kernel counted, if that could be read.
    hits: Option<HashMap<u32, EntryHits>>,
    standing: Standing,
}

impl ListForm for OwnList {
    fn begin(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(br#"{"version":"#);
        entries::put(text, &self.version);
        text.extend_from_slice(br#","entries":["#);
    }

    fn entry(&self, entry: &Entry, text: &mut Vec<u8>) {
        let answer = EntryOut::new(entry, &self.standing);
        match &self.hits {
            Some(hits) => entries::put(text, &answer.hit(hits.get(&entry.number()))),
            None => entries::put(text, &answer),
        }
    }

    fn end(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(b"]}");
    }
}
