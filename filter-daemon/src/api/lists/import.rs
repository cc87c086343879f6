//! Many entries at a time, and what became of a list.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::admin::unexpected;
use crate::api::asker::Asker;
use crate::api::body::{BULK_BYTES, Sent};
use crate::api::fault::Fault;
use crate::api::listed::{EntriesIn, ListedIn};
use crate::api::path::AppPath;
use crate::api::wire::json;
use crate::command::{Command, Import, ListChange};
use crate::control::Control;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportIn {
    #[schema(value_type = Vec<ListedIn>)]
    entries: EntriesIn,
    #[serde(default)]
    replace: bool,
    #[serde(default)]
    dry_run: bool,
    #[schema(maximum = 100)]
    shrink_guard_percent: Option<u8>,
}

/// What became of a list, or would.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ChangeOut<'a> {
    version: u64,
    added: usize,
    removed: usize,
    changed: usize,
    unchanged: usize,
    #[serde(flatten)]
    addresses: Option<Addresses<'a>>,
}

#[derive(Serialize, ToSchema)]
struct Addresses<'a> {
    #[schema(required = false)]
    added_addresses: Vec<&'a str>,
    #[schema(required = false)]
    removed_addresses: Vec<&'a str>,
    #[schema(required = false)]
    changed_addresses: Vec<&'a str>,
}

/// Adds many entries as one change.
#[utoipa::path(
    post, path = "/groups/{group}/apps/{app}/access_list/import",
    operation_id = "importEntries", tag = "access list",
    params(AppPath, Asker),
    request_body = ImportIn,
    responses((status = 200, description = "What becomes of the list, or would", body = ChangeOut)),
)]
pub(super) async fn import(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(sent): Sent<ImportIn, BULK_BYTES>,
) -> Result<Response, Fault> {
    let ImportIn { entries, replace, dry_run, shrink_guard_percent } = sent;
    if shrink_guard_percent.is_some_and(|percent| percent > 100) {
        return Err(Fault::parameter("shrink_guard_percent: give a share from 0 to 100"));
    }
    let import = Import { entries: entries.0?, replace, shrink_guard_percent };
    let command = Command::ImportEntries { app, import };
    let (outcome, in_force) = asker.dry_run(dry_run).execute(&control, command).await?;
    let change = outcome.into_list().ok_or_else(unexpected)?;
    Ok(in_force.with(json(&ChangeOut::new(&change, dry_run))))
}

impl<'a> ChangeOut<'a> {
    /// The counts, and which addresses they are.
    pub(in crate::api) fn new(change: &'a ListChange, with_addresses: bool) -> Self {
        let texts = |entries: &'a [_]| {
            let text = |entry: &'a std::sync::Arc<crate::access_list::Entry>| entry.address.text();
            entries.iter().map(text).collect()
        };
        Self {
            version: change.version,
            added: change.added.len(),
            removed: change.removed.len(),
            changed: change.changed.len(),
            unchanged: change.unchanged,
            addresses: with_addresses.then(|| Addresses {
                added_addresses: texts(&change.added),
                removed_addresses: texts(&change.removed),
                changed_addresses: texts(&change.changed),
            }),
        }
    }
}
