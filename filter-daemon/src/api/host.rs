//! What holds for the whole host: status, interfaces, settings, counters, the
//! switch. `/api/filter/v1`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::unexpected;
use super::asker::Asker;
use super::body::Sent;
use super::drops;
use super::fault::Fault;
use super::listener_status::{AdminOut, ProxyOut};
use super::wire::{SettingsOut, SettingsPatch, json};
use crate::app::App;
use crate::control::Control;
use crate::id::ObjectId;
use crate::reconcile::{InterfaceState, InterfaceStatus, Phase};
use crate::state::State as Kept;

#[derive(Serialize, ToSchema)]
struct StatusOut<'a> {
    version: &'static str,
    kernel: String,
    phase: &'static str,
    error: Option<&'a str>,
    desired_revision: u64,
    applied_revision: Option<u64>,
    filter: &'static str,
    program: Option<ProgramOut>,
    table_bytes: u64,
    interfaces: Vec<InterfaceOut<'a>>,
    apps: Vec<AppLine<'a>>,
    settings: SettingsOut,
    unseen_drops: UnseenOut,
    admin: Option<AdminOut>,
    proxy: Option<ProxyOut>,
}

#[derive(Serialize, ToSchema)]
struct UnseenOut {
    unsampled: u64,
    lost: u64,
}

#[derive(Serialize, ToSchema)]
struct ProgramOut {
    object_digest: &'static str,
    toolchain: &'static str,
    instructions_verified: u32,
}

#[derive(Serialize, ToSchema)]
struct InterfaceOut<'a> {
    name: &'a str,
    index: Option<u32>,
    mode_asked: &'static str,
    mode_got: Option<&'static str>,
    state: &'static str,
    detail: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
struct AppLine<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    client_app_id: &'a str,
    mode: &'static str,
    scopes: Vec<String>,
    entries: usize,
}

#[derive(Serialize, ToSchema)]
struct CounterOut<'a> {
    app: Option<&'a str>,
    reason: &'static str,
    verdict: &'static str,
    packets: u64,
    bytes: u64,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(show_status))
        .routes(routes!(interfaces))
        .routes(routes!(counters))
        .routes(routes!(drops::follow))
        .routes(routes!(settings, update_settings))
        .routes(routes!(detach))
        .routes(routes!(attach))
}

/// The app of an index in the kernel's tables; none for 0, and for an app
/// that was deleted since.
pub(super) fn app_of_index(state: &Kept, index: u32) -> Option<&Arc<App>> {
    state.apps.values().find(|app| app.index == index)
}

fn status(control: &Control) -> Result<Response, Fault> {
    let status = control.status();
    let kept = control.store().state();
    let unseen = control.unseen().map_err(|error| {
        Fault::internal(format!("the counters cannot be read from the kernel: {error:#}"))
    })?;
    let (phase, error) = match &status.phase {
        Phase::NeverRun => ("never_run", None),
        Phase::Applying => ("applying", None),
        Phase::Idle => ("idle", None),
        Phase::Degraded(reason) => ("degraded", Some(reason.as_str())),
    };
    Ok(json(&StatusOut {
        version: env!("CARGO_PKG_VERSION"),
        kernel: kernel_release(),
        phase,
        error,
        desired_revision: status.desired_revision,
        applied_revision: status.applied_revision,
        filter: status.filter(),
        program: status.program.map(|program| ProgramOut {
            object_digest: program.object_digest,
            toolchain: program.toolchain,
            instructions_verified: program.instructions_verified,
        }),
        table_bytes: status.table_bytes,
        interfaces: status.interfaces.iter().map(InterfaceOut::from).collect(),
        apps: kept.apps.values().map(|app| AppLine::from(app.as_ref())).collect(),
        settings: kept.settings.into(),
        unseen_drops: UnseenOut {
            unsampled: unseen.unsampled.saturating_add(control.untold_refusals()),
            lost: unseen.lost,
        },
        admin: control.listener().map(AdminOut::from),
        proxy: control.proxy_status().map(|status| ProxyOut::new(status, &kept)),
    }))
}

fn kernel_release() -> String {
    match nix::sys::utsname::uname() {
        Ok(names) => names.release().to_string_lossy().into_owned(),
        Err(errno) => format!("unknown ({errno})"),
    }
}

/// Shows what is in force, and what is not.
#[utoipa::path(
    get, path = "/status",
    operation_id = "status", tag = "host",
    responses((status = 200, description = "The whole host", body = StatusOut)),
)]
async fn show_status(State(control): State<Control>) -> Result<Response, Fault> {
    status(&control)
}

/// Lists the interfaces.
#[utoipa::path(
    get, path = "/interfaces",
    operation_id = "listInterfaces", tag = "host",
    responses(
        (
            status = 200,
            description = "The interfaces and the filter on them",
            body = Vec<InterfaceOut>,
        ),
    ),
)]
async fn interfaces(State(control): State<Control>) -> Response {
    let status = control.status();
    json(&status.interfaces.iter().map(InterfaceOut::from).collect::<Vec<_>>())
}

/// Reads the counters.
#[utoipa::path(
    get, path = "/counters",
    operation_id = "listCounters", tag = "host",
    responses(
        (status = 200, description = "Packets by app, reason and verdict", body = Vec<CounterOut>),
    ),
)]
async fn counters(State(control): State<Control>) -> Result<Response, Fault> {
    let rows = control.counters().await.map_err(|error| {
        Fault::internal(format!("the counters cannot be read from the kernel: {error:#}"))
    })?;
    let state = control.store().state();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| CounterOut {
            app: app_of_index(&state, row.app).map(|app| app.client_app_id.as_str()),
            reason: row.reason.name(),
            verdict: row.verdict.name(),
            packets: row.packets,
            bytes: row.bytes,
        })
        .collect();
    Ok(json(&rows))
}

/// Shows what holds for the whole host.
#[utoipa::path(
    get, path = "/settings",
    operation_id = "showSettings", tag = "host",
    responses((status = 200, description = "The settings", body = SettingsOut)),
)]
async fn settings(State(control): State<Control>) -> Response {
    json(&SettingsOut::from(control.store().state().settings))
}

/// Changes what holds for the whole host.
#[utoipa::path(
    patch, path = "/settings",
    operation_id = "updateSettings", tag = "host",
    params(Asker),
    request_body = SettingsPatch,
    responses((status = 200, description = "The settings as they are now", body = SettingsOut)),
)]
async fn update_settings(
    State(control): State<Control>,
    asker: Asker,
    Sent(change): Sent<SettingsPatch>,
) -> Result<Response, Fault> {
    let (outcome, in_force) = asker.execute(&control, change.command()?).await?;
    let settings = outcome.into_settings().ok_or_else(unexpected)?;
    Ok(in_force.with(json(&SettingsOut::from(settings))))
}

/// Takes the filter off every interface: all traffic is open then.
#[utoipa::path(
    post, path = "/detach",
    operation_id = "detach", tag = "host",
    params(Asker),
    responses((status = 200, description = "The whole host", body = StatusOut)),
)]
async fn detach(State(control): State<Control>, asker: Asker) -> Result<Response, Fault> {
    control
        .switch()
        .detach()
        .await
        .map_err(|error| Fault::internal(format!("the filter was not taken off: {error:#}")))?;
    asker.note(&control, "host.detach", "the filter is off every interface").await;
    status(&control)
}

/// Puts the filter back on every interface.
#[utoipa::path(
    post, path = "/attach",
    operation_id = "attach", tag = "host",
    params(Asker),
    responses((status = 200, description = "The whole host", body = StatusOut)),
)]
async fn attach(State(control): State<Control>, asker: Asker) -> Result<Response, Fault> {
    if control.status().detached {
        asker.refuse_cut(&control)?;
    }
    control
        .switch()
        .attach()
        .await
        .map_err(|error| Fault::internal(format!("the filter was not put back: {error:#}")))?;
    asker.note(&control, "host.attach", "the filter is back").await;
    status(&control)
}

impl<'a> From<&'a InterfaceStatus> for InterfaceOut<'a> {
    fn from(interface: &'a InterfaceStatus) -> Self {
        let (state, mode_got, detail) = match &interface.state {
            InterfaceState::Attached { got } => ("attached", Some(got.name()), None),
            InterfaceState::Refused(reason) => ("refused", None, Some(reason.as_str())),
            InterfaceState::Missing => ("missing", None, None),
            InterfaceState::Detached => ("detached", None, None),
        };
        Self {
            name: &interface.name,
            index: interface.index,
            mode_asked: interface.asked.name(),
            mode_got,
            state,
            detail,
        }
    }
}

impl<'a> From<&'a App> for AppLine<'a> {
    fn from(app: &'a App) -> Self {
        Self {
            id: app.id,
            client_app_id: &app.client_app_id,
            mode: app.mode.name(),
            scopes: app.scopes.iter().map(ToString::to_string).collect(),
            entries: app.list.len(),
        }
    }
}
