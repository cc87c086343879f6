//! What a list was, and bringing it back.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::entry::Standing;
use super::import::ChangeOut;
use super::{EntryListOut, OwnList};
use crate::access_list::{AccessList, Entry};
use crate::api::admin::{find_app, unexpected};
use crate::api::asker::Asker;
use crate::api::audit::OriginationOut;
use crate::api::entries;
use crate::api::fault::Fault;
use crate::api::path::{AppPath, VersionPath};
use crate::api::wire::json;
use crate::command::Command;
use crate::control::Control;
use crate::store::Version;

/// How many versions are told when nothing is said.
const VERSIONS_TOLD: u32 = 100;

/// How many versions are told at most.
const MOST_VERSIONS_TOLD: u32 = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only versions before this one.
    before: Option<u64>,
    /// How many at most; 100 if it is not said, and never more than 1,000.
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Against {
    /// The other version; the one of now, if none is given.
    to: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Trial {
    /// Only tell what would be done.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
struct VersionOut<'a> {
    version: u64,
    #[serde(flatten)]
    origination: OriginationOut<'a>,
    added: u64,
    removed: u64,
    changed: u64,
    entries: u64,
}

#[derive(Serialize, ToSchema)]
struct DiffOut<'a> {
    from: u64,
    to: u64,
    added: Vec<Line<'a>>,
    removed: Vec<Line<'a>>,
    changed: Vec<Changed<'a>>,
}

#[derive(Serialize, ToSchema)]
struct Line<'a> {
    address: &'a str,
    comment: &'a str,
    enabled: bool,
    expires: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Changed<'a> {
    from: Line<'a>,
    to: Line<'a>,
}

/// Lists the versions of an access list.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/access_list/versions",
    operation_id = "listVersions", tag = "access list",
    params(AppPath, Page),
    responses((status = 200, description = "Versions, latest first", body = Vec<VersionOut>)),
)]
pub(super) async fn versions(
    State(control): State<Control>,
    AppPath(app): AppPath,
    query: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(Page { before, limit }) = query.map_err(|rejection| Fault::query(&rejection))?;
    let limit = limit.unwrap_or(VERSIONS_TOLD).min(MOST_VERSIONS_TOLD);
    let app = find_app(&control, app)?;
    let versions = control.store().versions(app, before, limit).await?;
    Ok(json(&versions.iter().map(VersionOut::from).collect::<Vec<_>>()))
}

/// Shows an earlier version of an access list.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/access_list/versions/{version}",
    operation_id = "showVersion", tag = "access list",
    params(VersionPath),
    responses((status = 200, description = "The list as it was", body = EntryListOut)),
)]
pub(super) async fn version(
    State(control): State<Control>,
    VersionPath(app, version): VersionPath,
) -> Result<Response, Fault> {
    let app = find_app(&control, app)?;
    let list = control.store().list_at(app, version).await?;
    let form = OwnList { version: list.version, hits: None, standing: Standing::of(&control) };
    Ok(entries::answer(list, form))
}

/// Compares two versions of an access list.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/access_list/versions/{version}/diff",
    operation_id = "diffVersions", tag = "access list",
    params(VersionPath, Against),
    responses((status = 200, description = "What is different", body = DiffOut)),
)]
pub(super) async fn diff(
    State(control): State<Control>,
    VersionPath(app, version): VersionPath,
    query: Result<Query<Against>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(Against { to }) = query.map_err(|rejection| Fault::query(&rejection))?;
    let app = find_app(&control, app)?;
    let to = to.unwrap_or(app.list.version);
    let from_list = control.store().list_at(app.clone(), version).await?;
    let to_list = control.store().list_at(app, to).await?;
    Ok(json(&DiffOut::new(&from_list, &to_list)))
}

/// Makes an access list what it was.
#[utoipa::path(
    post, path = "/groups/{group}/apps/{app}/access_list/versions/{version}/restore",
    operation_id = "restoreVersion", tag = "access list",
    params(VersionPath, Trial, Asker),
    responses((status = 200, description = "What becomes of the list, or would", body = ChangeOut)),
)]
pub(super) async fn restore(
    State(control): State<Control>,
    VersionPath(app, version): VersionPath,
    asker: Asker,
    query: Result<Query<Trial>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(Trial { dry_run }) = query.map_err(|rejection| Fault::query(&rejection))?;
    let command = Command::RestoreList { app, version };
    let (outcome, in_force) = asker.dry_run(dry_run).execute(&control, command).await?;
    let change = outcome.into_list().ok_or_else(unexpected)?;
    Ok(in_force.with(json(&ChangeOut::new(&change, dry_run))))
}

impl<'a> From<&'a Version> for VersionOut<'a> {
    fn from(version: &'a Version) -> Self {
        Self {
            version: version.version,
            origination: (&version.origination).into(),
            added: version.added,
            removed: version.removed,
            changed: version.changed,
            entries: version.size,
        }
    }
}

impl<'a> DiffOut<'a> {
    fn new(from: &'a AccessList, to: &'a AccessList) -> Self {
        let mut diff = Self {
            from: from.version,
            to: to.version,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
        };
        for entry in from.entries() {
            match to.entry_of_number(entry.number()) {
                None => diff.removed.push(Line::from(entry.as_ref())),
                Some(then) if then == entry => {}
                Some(then) => diff.changed.push(Changed {
                    from: Line::from(entry.as_ref()),
                    to: Line::from(then.as_ref()),
                }),
            }
        }
        let added = to.entries().filter(|entry| from.entry_of_number(entry.number()).is_none());
        diff.added = added.map(|entry| Line::from(entry.as_ref())).collect();
        diff
    }
}

impl<'a> From<&'a Entry> for Line<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            address: entry.address.text(),
            comment: &entry.comment,
            enabled: entry.enabled,
            expires: entry.expires.map(crate::api::wire::time),
        }
    }
}
