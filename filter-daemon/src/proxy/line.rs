//! One connection to an upstream, and who drives it.
//!
//! A request without a body drives its connection itself: nothing else has to
//! be woken for it. One with a body leaves that to a task, as the client may
//! send while it takes nothing.

use std::mem;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http::Response;
use http::header::UPGRADE;
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{AbortHandle, coop};
use tokio::time::Instant;

use super::body::Outgoing;
use super::deadline::Deadline;
use super::patience;

/// A connection to an upstream; it ends with the value, whatever it still has of
/// a request.
pub(super) struct Line {
    sender: SendRequest<Outgoing>,
    driver: Driver,
    /// The address of this host that it comes from.
    pub(super) source: Option<IpAddr>,
    /// Until when the upstream may be silent.
    pub(super) deadline: Deadline,
}

/// The answer, or why there is none, with the request if it was not sent.
pub(super) type Answered = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>;

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// Who reads from a connection and writes to it.
enum Driver {
    /// Whoever waits for what comes of it; nobody while it is unused.
    Holder(Connection),
    /// A task of its own.
    Task(AbortHandle),
    /// Nobody: it has ended.
    Nobody,
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Driver::Task(task) = &self.driver {
            task.abort();
        }
    }
}

impl Line {
    /// Begins to speak HTTP on a stream.
    pub(super) async fn begin<S>(stream: S, source: Option<IpAddr>) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(patience::BUFFER_BYTES)
            .handshake(TokioIo::new(stream))
            .await?;
        let driver = Driver::Holder(Box::pin(connection.with_upgrades()));
        Ok(Self { sender, driver, source, deadline: Deadline::new(Instant::now()) })
    }

    /// Whether it can take a request, as far as is known without looking at it.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// The same, but for what the upstream has done about it.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Looks at an unused one: whether the upstream has closed it.
    pub(super) fn has_ended(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.is_closed()
    }

    /// Hands a request over, at once; the answer has to be asked for through
    /// `poll_for`.
    pub(super) fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>> + use<>
    {
        let is_plain = matches!(request.body(), Outgoing::Empty);
        if !is_plain || request.headers().contains_key(UPGRADE) {
            self.leave_to_task();
        }
        self.sender.try_send_request(request)
    }

    /// Drives the connection, and then asks for something that comes of it.
    pub(super) fn poll_for<T>(
        &mut self,
        cx: &mut Context<'_>,
        ask: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.drive(cx);
        self.poll_there(cx, ask)
    }

    /// Asks for something that may be there already.
    pub(super) fn poll_there<T>(
        &self,
        cx: &mut Context<'_>,
        ask: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if !matches!(self.driver, Driver::Holder(_)) {
            return ask(cx);
        }
        // It comes only while this task drives the connection, and so need not
        // wake it; unless it was not looked for.
        let asked = ask(&mut Context::from_waker(Waker::noop()));
        if asked.is_pending() && !coop::has_budget_remaining() {
            cx.waker().wake_by_ref();
        }
        asked
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Driver::Holder(connection) = &mut self.driver
            && let Poll::Ready(ended) = connection.as_mut().poll(cx)
        {
            note(ended);
            self.driver = Driver::Nobody;
        }
    }

    fn leave_to_task(&mut self) {
        self.driver = match mem::replace(&mut self.driver, Driver::Nobody) {
            Driver::Holder(connection) => {
                let task = tokio::spawn(async move { note(connection.await) });
                Driver::Task(task.abort_handle())
            }
            other @ (Driver::Task(_) | Driver::Nobody) => other,
        };
    }
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to an upstream broke off");
    }
}
