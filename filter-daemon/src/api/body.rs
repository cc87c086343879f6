//! Bodies: JSON whatever the content type says, with or without a length,
//! never more than a limit, never for longer than a limit.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fault::Fault;
use crate::priority::at_length;

/// The limit of an ordinary body.
const SMALL_BYTES: usize = 1 << 20;

/// The limit of a body that holds a whole list.
///
/// A million addresses take 25 to 60 MiB; there is room for comments.
pub(super) const BULK_BYTES: usize = 128 << 20;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body above this size is read on a thread of its own.
const LONG_READ_BYTES: usize = 256 << 10;

/// How many bodies above the ordinary limit are in memory at a time; the
/// others wait.
static TURNS: Semaphore = Semaphore::const_new(2);

/// What a client sent.
pub(super) struct Sent<T, const LIMIT_BYTES: usize = SMALL_BYTES>(pub(super) T);

impl<T, S, const LIMIT_BYTES: usize> FromRequest<S> for Sent<T, LIMIT_BYTES>
where
    T: DeserializeOwned + Send + 'static,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let collected = collect(request.into_body(), LIMIT_BYTES);
        let (bytes, _turn) = tokio::time::timeout(PATIENCE, collected)
            .await
            .map_err(|_| Fault::body_too_slow())??;
        if bytes.len() <= LONG_READ_BYTES {
            return parse(&bytes).map(Self);
        }
        tokio::task::spawn_blocking(move || at_length(|| parse(&bytes)).map(Self))
            .await
            .map_err(|error| Fault::internal(format!("the body could not be read: {error}")))?
    }
}

/// The body, and its turn if it is a large one.
async fn collect(
    mut body: Body,
    limit_bytes: usize,
) -> Result<(Vec<u8>, Option<SemaphorePermit<'static>>), Fault> {
    let too_large = |bytes: usize| bytes > limit_bytes;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if too_large(announced) {
        return Err(Fault::body_too_large(limit_bytes));
    }
    let mut bytes = Vec::new();
    let mut turn = None;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Fault::malformed_json(format!("the body breaks off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if too_large(bytes.len() + data.len()) {
            return Err(Fault::body_too_large(limit_bytes));
        }
        if turn.is_none() && bytes.len() + data.len() > SMALL_BYTES {
            turn = TURNS.acquire().await.ok();
            bytes.reserve_exact(announced.saturating_sub(bytes.len()));
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, turn))
}

/// Reads JSON.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    if bytes.trim_ascii().is_empty() {
        return Err(Fault::malformed_json("the body is empty: send a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|cause| match cause.classify() {
        serde_json::error::Category::Data => data_fault::<T>(bytes, &cause),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => not_json(&cause),
    })
}

/// The fault with the name of its field. To keep track of names takes as long
/// as the rest of the reading: it is done when there is a fault to tell.
fn data_fault<T: DeserializeOwned>(bytes: &[u8], cause: &serde_json::Error) -> Fault {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => error.path().to_string(),
        Ok(_) => ".".to_owned(),
    };
    match path.as_str() {
        "." => Fault::parameter(cause.to_string()),
        path => Fault::parameter(format!("{path}: {cause}")),
    }
}

fn not_json(cause: &serde_json::Error) -> Fault {
    Fault::malformed_json(format!("the body is not JSON: {cause}"))
}
