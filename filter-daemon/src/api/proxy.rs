//! What the proxy counted. `/api/filter/v1/proxy`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::wire::json;
use crate::control::Control;

#[derive(Serialize)]
struct CountOut<'a> {
    app: Option<&'a str>,
    reason: &'static str,
    verdict: &'static str,
    count: u64,
}

pub(super) fn router() -> Router<Control> {
    Router::new().route("/proxy/counters", get(counters))
}

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
