//! Bodies on their way through, a piece at a time in both directions, with
//! what has to happen at their end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::fields;
use super::live::{Live, Open};
use super::stream::Stream;
use super::upload::{Fault, Upload};
use super::upstream::Lease;
use super::waits::{Wait, Waits};

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
    Streamed(Box<FromClient>),
}

/// A body that a client sends.
pub(super) struct FromClient {
    incoming: Incoming,
    waiting: Waiting,
    left_bytes: u64,
    upload: Arc<Upload>,
}

/// Where it is noted what the client is waited for: a whole connection, or a
/// request of many.
enum Waiting {
    Connection(Arc<Live>),
    Stream(Arc<Stream>),
}

impl Waiting {
    /// Notes whether the upstream has yet to take what the client sent.
    fn note_held(&self, is_held: bool) {
        if let Self::Stream(stream) = self {
            stream.is_held.store(is_held, Ordering::Relaxed);
        }
    }

    fn waits(&self) -> &Waits {
        match self {
            Self::Connection(live) => &live.waits,
            Self::Stream(stream) => &stream.waits,
        }
    }
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
    /// The request's own body, if it had one.
    upload: Option<Arc<Upload>>,
    /// Whose reader it waits for.
    stream: Option<Arc<Stream>>,
    _open: Open,
    /// Whether the upstream is waited for.
    is_silent: bool,
}

impl Outgoing {
    /// The body of a request that may be so long, and how it gets on, if there
    /// is one.
    pub(super) fn new(
        incoming: Incoming,
        live: &Arc<Live>,
        limit_bytes: Option<u64>,
    ) -> (Self, Option<Arc<Upload>>) {
        if incoming.is_end_stream() {
            return (Self::Empty, None);
        }
        let upload = Arc::new(Upload::new());
        let body = FromClient {
            incoming,
            waiting: Stream::current()
                .map_or_else(|| Waiting::Connection(Arc::clone(live)), Waiting::Stream),
            left_bytes: limit_bytes.unwrap_or(u64::MAX),
            upload: Arc::clone(&upload),
        };
        (Self::Streamed(Box::new(body)), Some(upload))
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
        self.waiting.note_held(polled.is_ready());
        if polled.is_pending() {
            self.waiting.waits().keep(Wait::Body);
            self.upload.await_client();
        } else {
            self.waiting.waits().end(Wait::Body);
            self.upload.give();
        }
        let frame = match ready!(polled) {
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    fields::clean_trailers(trailers);
                    self.upload.end();
                }
                frame
            }
            Some(Err(error)) => {
                self.upload.fail(Fault::Broken(error.to_string()));
                return Poll::Ready(Some(Err(error.into())));
            }
            None => {
                self.upload.end();
                return Poll::Ready(None);
            }
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left_bytes.checked_sub(length) {
            Some(left) => {
                self.left_bytes = left;
                // Nobody asks for more than the length that the head says.
                let is_all = self.incoming.size_hint().exact() == Some(0);
                if is_all || self.incoming.is_end_stream() {
                    self.upload.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.upload.fail(Fault::TooLarge);
                Poll::Ready(Some(Err(BodyError::TooLarge)))
            }
        }
    }
}

impl Drop for FromClient {
    fn drop(&mut self) {
        self.waiting.note_held(false);
        self.waiting.waits().end(Wait::Body);
    }
}

impl Answer {
    /// An upstream's answer, whose connection is given back at its end.
    pub(super) fn streamed(
        incoming: Incoming,
        lease: Lease,
        upload: Option<Arc<Upload>>,
        open: Open,
    ) -> Self {
        let (lease, stream) = (Some(lease), Stream::current());
        let (_open, is_silent) = (open, false);
        let mut body = FromUpstream { incoming, lease, upload, stream, _open, is_silent };
        body.give_back_at_end();
        body.wait_for_reader();
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
        match self.poll_incoming(cx) {
            Poll::Pending => {
                self.stream.iter().for_each(|stream| stream.waits.end(Wait::Reading));
                self.poll_silence(cx)
            }
            Poll::Ready(mut frame) => {
                self.is_silent = false;
                self.wait_for_reader();
                match &mut frame {
                    Some(Ok(frame)) => match frame.trailers_mut() {
                        // Nobody may ask for what comes behind them: nothing.
                        Some(trailers) => {
                            fields::clean_trailers(trailers);
                            self.give_back();
                        }
                        None => self.give_back_at_end(),
                    },
                    Some(Err(_)) => self.lease = None,
                    None => self.give_back(),
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)))
            }
        }
    }

    /// Of an HTTP/2 request nothing more is asked for until the client takes
    /// more.
    fn wait_for_reader(&self) {
        self.stream.iter().for_each(|stream| stream.waits.begin(Wait::Reading));
    }

    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut incoming = Pin::new(&mut self.incoming);
        let Some(lease) = &mut self.lease else {
            // Nobody drives a connection that was given back.
            let has_ended = incoming.is_end_stream();
            return if has_ended { Poll::Ready(None) } else { incoming.poll_frame(cx) };
        };
        let line = lease.line();
        let there = line.poll_there(cx, |cx| incoming.as_mut().poll_frame(cx));
        match there {
            Poll::Ready(frame) => Poll::Ready(frame),
            Poll::Pending => line.poll_for(cx, |cx| incoming.poll_frame(cx)),
        }
    }

    fn poll_silence(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(lease) = &mut self.lease else { return Poll::Pending };
        if !self.is_silent {
            self.is_silent = true;
            lease.be_patient();
        }
        // It may be at the request's own body still.
        let upload = self.upload.as_deref().filter(|upload| !upload.has_ended());
        ready!(lease.poll_silence(cx, upload));
        self.lease = None;
        Poll::Ready(Some(Err(BodyError::Timeout)))
    }

    fn give_back_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    /// An upstream that has answered before it had all of a request is not
    /// asked again on this connection, nor told the rest.
    fn give_back(&mut self) {
        let has_all = self.upload.as_ref().is_none_or(|upload| upload.has_ended());
        if let Some(lease) = self.lease.take().filter(|_| has_all) {
            lease.give_back();
        }
    }
}
