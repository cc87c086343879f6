//! What a list comes to.

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access_list::{Effective, Entry};
use crate::api::admin::find_app;
use crate::api::fault::Fault;
use crate::api::path::AppPath;
use crate::api::wire::json;
use crate::control::Control;
use crate::id::ObjectId;

#[derive(Serialize, ToSchema)]
struct EffectiveOut<'a> {
    version: u64,
    prefixes: Vec<MergedOut<'a>>,
    redundant: Vec<Redundant<'a>>,
}

#[derive(Serialize, ToSchema)]
struct MergedOut<'a> {
    prefix: String,
    entries: Vec<EntryRef<'a>>,
}

#[derive(Serialize, ToSchema)]
struct Redundant<'a> {
    entry: EntryRef<'a>,
    covered_by: EntryRef<'a>,
}

#[derive(Serialize, ToSchema)]
struct EntryRef<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    address: &'a str,
}

/// Works out what an access list comes to.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/access_list/effective",
    operation_id = "showEffective", tag = "access list",
    params(AppPath),
    responses(
        (
            status = 200,
            description = "The smallest equal set, and what is redundant",
            body = EffectiveOut,
        ),
    ),
)]
pub(super) async fn effective(
    State(control): State<Control>,
    AppPath(app): AppPath,
) -> Result<Response, Fault> {
    let app = find_app(&control, app)?;
    // A million entries take a moment.
    let answer = move || {
        let effective = Effective::of(&app.list, Timestamp::now().as_second());
        json(&EffectiveOut::new(app.list.version, &effective))
    };
    let answer = tokio::task::spawn_blocking(answer).await;
    answer.map_err(|error| Fault::internal(format!("the list could not be worked out: {error}")))
}

impl<'a> EffectiveOut<'a> {
    fn new(version: u64, effective: &'a Effective) -> Self {
        let merged = effective.prefixes.iter().map(|merged| MergedOut {
            prefix: merged.prefix.to_string(),
            entries: merged.entries.iter().map(|entry| EntryRef::from(entry.as_ref())).collect(),
        });
        let redundant = effective.redundant.iter().map(|(entry, wider)| Redundant {
            entry: EntryRef::from(entry.as_ref()),
            covered_by: EntryRef::from(wider.as_ref()),
        });
        Self { version, prefixes: merged.collect(), redundant: redundant.collect() }
    }
}

impl<'a> From<&'a Entry> for EntryRef<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { id: entry.id, address: entry.address.text() }
    }
}
