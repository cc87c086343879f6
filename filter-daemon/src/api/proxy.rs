//! What the proxy counted. `/api/filter/v1/proxy`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::json;
use crate::control::Control;

#[derive(Serialize, ToSchema)]
struct CountOut<'a> {
    app: Option<&'a str>,
    reason: &'static str,
    verdict: &'static str,
    count: u64,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(counters))
}

/// Reads what the proxy counted.
#[utoipa::path(
    get, path = "/proxy/counters",
    operation_id = "listProxyCounters", tag = "host",
    responses(
        (
            status = 200,
            description = "Connections and requests by app, reason and verdict",
            body = Vec<CountOut>,
        ),
    ),
)]
async fn counters(State(control): State<Control>) -> Response {
    let state = control.store().state();
    let rows = control.proxy_counts();
    let name = |app| state.apps.get(&app).map(|app| app.client_app_id.as_str());
    let rows = rows.iter().map(|row| CountOut {
        app: row.app.and_then(name),
        reason: row.reason.name(),
        verdict: row.verdict.name(),
        count: row.count,
    });
    json(&rows.collect::<Vec<_>>())
}
