//! Apps as a file describes them: `POST /api/filter/v1/groups/{group}/apply`.
//!
//! The tag of the answer is the revision of the state: with it in `If-Match`,
//! what was planned by a dry run is what is done, or nothing.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::unexpected;
use super::asker::Asker;
use super::body::{BULK_BYTES, Sent};
use super::fault::Fault;
use super::lists::ChangeOut;
use super::path::GroupPath;
use super::wire::{AppIn, json};
use crate::command::{AppChange, Command, DesiredApp};
use crate::control::Control;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplyIn {
    apps: Vec<AppIn>,
    /// Delete the apps of the group that are not among them.
    #[serde(default)]
    prune: bool,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
struct AppChangeOut<'a> {
    action: &'static str,
    name: &'a str,
    client_app_id: &'a str,
    detail: &'a str,
    list: ChangeOut<'a>,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(apply))
}

/// Makes the apps of a group what is written of them, as one change.
#[utoipa::path(
    post, path = "/groups/{group}/apply",
    operation_id = "apply", tag = "apps",
    params(GroupPath, Asker),
    request_body = ApplyIn,
    responses(
        (
            status = 200,
            description = "What becomes of each app, or would",
            body = Vec<AppChangeOut>,
        ),
    ),
)]
async fn apply(
    State(control): State<Control>,
    GroupPath(group): GroupPath,
    asker: Asker,
    Sent(sent): Sent<ApplyIn, BULK_BYTES>,
) -> Result<Response, Fault> {
    let ApplyIn { apps, prune, dry_run } = sent;
    let apps = desired(apps)?;
    let command = Command::Apply { group, apps, prune };
    let (outcome, in_force) = asker.dry_run(dry_run).execute(&control, command).await?;
    let changes = outcome.into_applied().ok_or_else(unexpected)?;
    Ok(in_force.with(json(&changes.iter().map(AppChangeOut::from).collect::<Vec<_>>())))
}

fn desired(apps: Vec<AppIn>) -> Result<Vec<DesiredApp>, Fault> {
    let mut names = BTreeSet::new();
    let mut desired = Vec::new();
    for (position, app) in apps.into_iter().enumerate() {
        let (mut fields, entries) = app.parts().map_err(|fault| fault.within("apps", position))?;
        let name = fields.name.take().unwrap_or_default();
        if name.is_empty() {
            return Err(Fault::parameter(format!("apps[{position}].name: is missing")));
        }
        if !names.insert(name.clone()) {
            let text = format!("apps[{position}].name: {name:?} is given twice");
            return Err(Fault::parameter(text));
        }
        desired.push(DesiredApp { name, fields, entries });
    }
    Ok(desired)
}

impl<'a> From<&'a AppChange> for AppChangeOut<'a> {
    fn from(change: &'a AppChange) -> Self {
        Self {
            action: change.verb.name(),
            name: &change.app.name,
            client_app_id: &change.app.client_app_id,
            detail: &change.detail,
            list: ChangeOut::new(&change.list, true),
        }
    }
}
