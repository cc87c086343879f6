//! Refusals of both tiers as they come, one JSON object a line.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::SystemTime;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::guard::Whence;
use super::host::app_of_index;
use crate::caller::{Caller, Source};
use crate::control::Control;
use crate::id::ObjectId;
use crate::observe::Drop;
use crate::proxy::Refused;
use crate::state::State as Kept;

/// A packet, or a connection or request at the proxy, that was refused or would
/// have been.
#[derive(Serialize, ToSchema)]
struct DropOut<'a> {
    time: String,
    /// `packet` or `proxy`.
    tier: &'static str,
    interface: Option<&'a str>,
    app: Option<&'a str>,
    reason: &'static str,
    verdict: &'static str,
    #[schema(value_type = Option<String>)]
    source: Option<IpAddr>,
    source_port: u16,
    #[schema(value_type = Option<String>)]
    destination: Option<IpAddr>,
    destination_port: u16,
    protocol: u8,
    /// A packet's.
    frame_bytes: Option<u32>,
    /// Whom a trusted hop named to the proxy.
    #[schema(value_type = Option<String>)]
    client: Option<IpAddr>,
    /// The server name that the proxy was asked for.
    name: Option<&'a str>,
    /// What the proxy refused, in words.
    detail: Option<&'a str>,
    /// How many of this app and reason the proxy did not tell before it.
    left_out: Option<u64>,
}

/// The IP protocol that the proxy is spoken to in.
const TCP: u8 = 6;

/// What a reader that is too slow did not get.
#[derive(Serialize, ToSchema)]
struct LostOut {
    lost: u64,
}

/// Goes on until the client leaves, may not read any more, or the daemon ends.
#[utoipa::path(
    get, path = "/drops",
    operation_id = "followDrops", tag = "host",
    responses(
        (
            status = 200,
            description = "Refusals, or how many were lost, one JSON object a line",
            content((DropOut = "application/x-ndjson")),
        ),
    ),
)]
pub(super) async fn follow(
    State(control): State<Control>,
    Whence(from): Whence,
    caller: Option<Extension<Caller>>,
    shutdown: Option<Extension<CancellationToken>>,
) -> Response {
    let shutdown = shutdown.map(|Extension(token)| token).unwrap_or_default();
    let login = caller.and_then(|Extension(caller)| caller.credential);
    let reader = Reader { control, session: login.map(|login| login.session), from, shutdown };
    let tiers = Tiers { packets: reader.control.drops(), proxy: reader.control.refusals() };
    let lines = stream::unfold((tiers, reader), async |(mut tiers, reader)| {
        let line = tokio::select! {
            line = tiers.next(&reader.control) => line?,
            () = reader.shutdown.cancelled() => return None,
            () = reader.revoked() => return None,
        };
        Some((Ok::<_, Infallible>(line), (tiers, reader)))
    });
    ([("content-type", "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// What both tiers refuse.
struct Tiers {
    packets: broadcast::Receiver<Drop>,
    proxy: Option<broadcast::Receiver<Refused>>,
}

impl Tiers {
    /// The next line; none when there will be no more.
    async fn next(&mut self, control: &Control) -> Option<Bytes> {
        let refused = async {
            match &mut self.proxy {
                Some(proxy) => proxy.recv().await,
                None => std::future::pending().await,
            }
        };
        let told = tokio::select! {
            drop = self.packets.recv() => {
                drop.map(|drop| line(&DropOut::of_packet(&drop, &control.store().state())))
            }
            refused = refused => {
                refused.map(|refused| line(&DropOut::of_proxy(&refused, &control.store().state())))
            }
        };
        match told {
            Ok(line) => Some(line),
            Err(broadcast::error::RecvError::Lagged(lost)) => Some(line(&LostOut { lost })),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Who follows the drops, and what ends it.
struct Reader {
    control: Control,
    /// The login; on the control socket nobody needs one.
    session: Option<ObjectId>,
    from: Source,
    shutdown: CancellationToken,
}

impl Reader {
    async fn revoked(&self) {
        match self.session {
            Some(session) => self.control.auth().revoked(session, self.from).await,
            None => std::future::pending().await,
        }
    }
}

fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(value).expect("texts, numbers and addresses are always JSON");
    text.push(b'\n');
    Bytes::from(text)
}

impl<'a> DropOut<'a> {
    fn of_packet(drop: &'a Drop, state: &'a Kept) -> Self {
        Self {
            tier: "packet",
            time: written(drop.time),
            interface: drop.interface.as_deref(),
            app: app_of_index(state, drop.app).map(|app| app.client_app_id.as_str()),
            reason: drop.reason.name(),
            verdict: drop.verdict.name(),
            source: drop.source,
            source_port: drop.source_port,
            destination: drop.destination,
            destination_port: drop.destination_port,
            protocol: drop.protocol,
            frame_bytes: Some(drop.frame_bytes),
            client: None,
            name: None,
            detail: None,
            left_out: None,
        }
    }

    fn of_proxy(refused: &'a Refused, state: &'a Kept) -> Self {
        let app = refused.app.and_then(|app| state.apps.get(&app));
        Self {
            time: written(refused.time),
            tier: "proxy",
            interface: None,
            app: app.map(|app| app.client_app_id.as_str()),
            reason: refused.reason.name(),
            verdict: refused.verdict.name(),
            source: Some(refused.peer.ip()),
            source_port: refused.peer.port(),
            destination: None,
            destination_port: refused.port,
            protocol: TCP,
            frame_bytes: None,
            client: refused.client,
            name: refused.name.as_deref(),
            detail: Some(&refused.detail),
            left_out: Some(refused.left_out),
        }
    }
}

fn written(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap_or_default().to_string()
}
