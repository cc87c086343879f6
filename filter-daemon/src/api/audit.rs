//! The audit log, to read: who changed what, when, from where, why.
//! `/api/filter/v1/audit`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::fault::Fault;
use super::wire::{json, time};
use crate::control::Control;
use crate::store::{AuditLine, Origination};

/// How many lines are told when nothing is said.
const LINES_TOLD: u32 = 100;

/// How many lines are told at most.
const MOST_LINES_TOLD: u32 = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Only lines before this one.
    before: Option<u64>,
    /// How many at most; 100 if it is not said, and never more than 1,000.
    limit: Option<u32>,
}

/// Where a change comes from.
#[derive(Serialize, ToSchema)]
pub(super) struct OriginationOut<'a> {
    revision: u64,
    at: String,
    who: &'a str,
    from: &'a str,
    action: &'a str,
    reason: &'a str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditLine)]
struct LineOut<'a> {
    sequence: u64,
    #[serde(flatten)]
    origination: OriginationOut<'a>,
    subject: &'a str,
    detail: &'a str,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(list))
}

/// Reads the audit log.
#[utoipa::path(
    get, path = "/audit",
    operation_id = "listAudit", tag = "host",
    params(Page),
    responses(
        (status = 200, description = "Lines of the audit log, latest first", body = Vec<LineOut>),
    ),
)]
async fn list(
    State(control): State<Control>,
    query: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(Page { before, limit }) = query.map_err(|rejection| Fault::query(&rejection))?;
    let limit = limit.unwrap_or(LINES_TOLD).min(MOST_LINES_TOLD);
    let lines = control.store().audit(before, limit).await?;
    Ok(json(&lines.iter().map(LineOut::from).collect::<Vec<_>>()))
}

impl<'a> From<&'a Origination> for OriginationOut<'a> {
    fn from(origination: &'a Origination) -> Self {
        Self {
            revision: origination.revision,
            at: time(origination.at),
            who: &origination.who,
            from: &origination.source,
            action: &origination.action,
            reason: &origination.reason,
        }
    }
}

impl<'a> From<&'a AuditLine> for LineOut<'a> {
    fn from(line: &'a AuditLine) -> Self {
        Self {
            sequence: line.sequence,
            origination: (&line.origination).into(),
            subject: &line.subject,
            detail: &line.detail,
        }
    }
}
