//! Refusals as they come, one JSON object a line.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

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
use crate::caller::Source;
use crate::control::Control;
use crate::id::ObjectId;
use crate::key::Key;
use crate::observe::Drop;
use crate::state::State as Kept;

#[derive(Serialize, ToSchema)]
struct DropOut<'a> {
    time: String,
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
    frame_bytes: u32,
}

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
    key: Option<Extension<Arc<Key>>>,
    shutdown: Option<Extension<CancellationToken>>,
) -> Response {
    let shutdown = shutdown.map(|Extension(token)| token).unwrap_or_default();
    let reader = Reader { control, key: key.map(|Extension(key)| key.id), from, shutdown };
    let lines = stream::unfold((reader.control.drops(), reader), async |(mut drops, reader)| {
        let received = tokio::select! {
            received = drops.recv() => received,
            () = reader.shutdown.cancelled() => return None,
            () = reader.revoked() => return None,
        };
        let line = match received {
            Ok(drop) => line(&DropOut::new(&drop, &reader.control.store().state())),
            Err(broadcast::error::RecvError::Lagged(lost)) => line(&LostOut { lost }),
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(line), (drops, reader)))
    });
    ([("content-type", "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Who follows the drops, and what ends it.
struct Reader {
    control: Control,
    /// On the control socket nobody needs one.
    key: Option<ObjectId>,
    from: Source,
    shutdown: CancellationToken,
}

impl Reader {
    async fn revoked(&self) {
        match self.key {
            Some(key) => self.control.auth().revoked(key, self.from).await,
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
    fn new(drop: &'a Drop, state: &'a Kept) -> Self {
        Self {
            time: jiff::Timestamp::try_from(drop.time).unwrap_or_default().to_string(),
            interface: drop.interface.as_deref(),
            app: app_of_index(state, drop.app).map(|app| app.client_app_id.as_str()),
            reason: drop.reason.name(),
            verdict: drop.verdict.name(),
            source: drop.source,
            source_port: drop.source_port,
            destination: drop.destination,
            destination_port: drop.destination_port,
            protocol: drop.protocol,
            frame_bytes: drop.frame_bytes,
        }
    }
}
