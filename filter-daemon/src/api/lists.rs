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

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, patch, post};
use serde::Deserialize;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only the entry that stands for it.
    address: Option<String>,
}

pub(super) fn router() -> Router<Control> {
    let list = Router::new()
        .route("/{entry}", patch(update).delete(delete))
        .route("/effective", get(effective::show))
        .route("/import", post(import::import))
        .route("/versions", get(versions::list))
        .route("/versions/{version}", get(versions::show))
        .route("/versions/{version}/diff", get(versions::diff))
        .route("/versions/{version}/restore", post(versions::restore));
    Router::new()
        .route("/groups/{group}/apps/{app}/access_list", get(self::list).post(create))
        .nest("/groups/{group}/apps/{app}/access_list", list)
}

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
