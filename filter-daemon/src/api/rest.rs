//! Takes what clients still send of a request that was answered without it, and
//! says so where the connection has to end instead.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use crate::unread::read_away;

/// A body that is still there when its reader is gone.
#[derive(Clone)]
struct Shared(Arc<Mutex<Sent>>);

struct Sent {
    body: Body,
    /// Whether somebody has asked for it.
    is_wanted: bool,
}

/// Answers a request, and then takes what is left of it.
pub(super) async fn take_rest(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let is_http_1 = parts.version < Version::HTTP_2;
    let waits = is_http_1 && parts.headers.contains_key(header::EXPECT);
    let shared = Shared(Arc::new(Mutex::new(Sent { body, is_wanted: false })));
    let request = Request::from_parts(parts, Body::new(shared.clone()));
    let mut response = next.run(request).await;
    // Whoever waits to be asked for a body has not sent it.
    let is_held_back = waits && !shared.lock().is_wanted;
    let is_all = shared.is_end_stream() || (!is_held_back && read_away(shared).await);
    if is_http_1 && !is_all {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut sent = self.lock();
        sent.is_wanted = true;
        Pin::new(&mut sent.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}
