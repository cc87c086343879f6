//! Bodies on their way through, a piece at a time in both directions, with
//! what has to happen at their end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::fields;
use super::live::{Live, Open, Wait};
use super::upstream::Lease;

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// Either end broke off.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// More than the app allows.
    #[error("the body is larger than the app's limit")]
    TooLarge,
    /// The upstream was silent for too long.
    #[error("the upstream did not go on in time")]
    Timeout,
}

/// A request's body on its way to the upstream.
pub(super) enum Outgoing {
    /// There is none.
    Empty,
    /// The client's.
    Streamed(FromClient),
}

/// A body that a client sends.
pub(super) struct FromClient {
    incoming: Incoming,
    live: Arc<Live>,
    left_bytes: u64,
    /// Set when it was too long.
    exceeded: Arc<AtomicBool>,
}

/// An answer's body on its way to the client.
pub(super) enum Answer {
    /// Of the proxy's own making.
    Own(Full<Bytes>),
    /// The upstream's.
    Streamed(FromUpstream),
}

/// A body that an upstream sends. The request is open until it has ended.
pub(super) struct FromUpstream {
    incoming: Incoming,
    lease: Option<Lease>,
    _open: Open,
    patience: Duration,
    silence: Option<Pin<Box<Sleep>>>,
}

impl Outgoing {
    /// The body of a request that may be so long, and where it is noted if it
    /// was longer.
    pub(super) fn new(
        incoming: Incoming,
        live: &Arc<Live>,
        limit_bytes: Option<u64>,
    ) -> (Self, Arc<AtomicBool>) {
        let exceeded = Arc::new(AtomicBool::new(false));
        if incoming.is_end_stream() {
            return (Self::Empty, exceeded);
        }
        let body = Self::Streamed(FromClient {
            incoming,
            live: Arc::clone(live),
            left_bytes: limit_bytes.unwrap_or(u64::MAX),
            exceeded: Arc::clone(&exceeded),
        });
        (body, exceeded)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Streamed(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streamed(body) => body.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streamed(body) => body.incoming.size_hint(),
        }
    }
}

impl FromClient {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if polled.is_pending() {
            self.live.keep_waiting(Wait::Body);
        } else {
            self.live.done(Wait::Body);
        }
        let Some(mut frame) = ready!(polled).transpose()? else { return Poll::Ready(None) };
        if let Some(trailers) = frame.trailers_mut() {
            fields::remove_from_trailers(trailers);
        }
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left_bytes.checked_sub(length) {
            Some(left) => {
                self.left_bytes = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.exceeded.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(BodyError::TooLarge)))
            }
        }
    }
}

impl Drop for FromClient {
    fn drop(&mut self) {
        self.live.done(Wait::Body);
    }
}

impl Answer {
    /// An upstream's answer, whose connection is given back at its end.
    pub(super) fn streamed(
        incoming: Incoming,
        lease: Lease,
        open: Open,
        patience: Duration,
    ) -> Self {
        let lease = Some(lease);
        let mut body = FromUpstream { incoming, lease, _open: open, patience, silence: None };
        body.give_back_at_end();
        Self::Streamed(body)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Own(body) => match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
                Some(Err(never)) => match never {},
                None => Poll::Ready(None),
            },
            Self::Streamed(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_end_stream(),
            Self::Streamed(body) => body.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Streamed(body) => body.incoming.size_hint(),
        }
    }
}

impl FromUpstream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Pending => self.poll_silence(cx),
            Poll::Ready(mut frame) => {
                self.silence = None;
                match &mut frame {
                    Some(Ok(frame)) => {
                        frame.trailers_mut().map(fields::remove_from_trailers);
                        self.give_back_at_end();
                    }
                    Some(Err(_)) => self.lease = None,
                    None => self.give_back(),
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)))
            }
        }
    }

    fn poll_silence(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let patience = self.patience;
        let silence = self
            .silence
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        ready!(silence.as_mut().poll(cx));
        self.lease = None;
        Poll::Ready(Some(Err(BodyError::Timeout)))
    }

    fn give_back_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}
