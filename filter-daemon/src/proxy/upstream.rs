//! Where an app's requests go: connections to its upstreams, kept for the next
//! request, and new ones when there is none.
//!
//! Invariant: a connection is used again only after a whole answer, and a
//! request is sent a second time only when nothing of it had been sent.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::UPGRADE;
use hyper::body::Incoming;
use hyper::{Request, Response};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::Host;

use super::body::Outgoing;
use super::line::{Answered, Line};
use super::outbound::{DialError, Outbound};
use super::sent::Sent;
use super::upload::Upload;
use super::{clock, patience};
use crate::app::Upstream;

/// The upstreams of one app.
pub(super) struct Destination {
    upstreams: Vec<Upstream>,
    tls: Option<Arc<ClientConfig>>,
    outbound: Arc<Outbound>,
    /// How long an upstream may be silent.
    pub(super) patience: Duration,
    next: AtomicUsize,
    /// Connections that wait for a request, by the thread that drives them.
    pools: Vec<Mutex<Vec<Pooled>>>,
}

struct Pooled {
    line: Box<Line>,
    /// By the coarse clock.
    since: Duration,
}

/// A connection that carries a request.
pub(super) struct Lease {
    line: Box<Line>,
    destination: Arc<Destination>,
    thread: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// An outbound address is missing.
    #[error(transparent)]
    Outbound(DialError),
    /// No connection to any upstream.
    #[error("{0}")]
    Unreachable(String),
    /// It took too long.
    #[error("{0} did not answer in time")]
    Timeout(&'static str),
    /// It broke off.
    #[error("the upstream broke off: {0}")]
    Broken(#[from] hyper::Error),
}

impl Destination {
    pub(super) fn new(
        upstreams: Vec<Upstream>,
        tls: Option<Arc<ClientConfig>>,
        outbound: Arc<Outbound>,
        patience: Duration,
        threads: usize,
    ) -> Self {
        let pools = (0..threads).map(|_| Mutex::default()).collect();
        Self { upstreams, tls, outbound, patience, next: AtomicUsize::new(0), pools }
    }

    /// Sends a request and waits for the head of the answer; how its body gets on
    /// is told beside, if it has one. The request is taken out of its place.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: &mut Option<Request<Outgoing>>,
        upload: Option<&Upload>,
        thread: usize,
    ) -> Result<(Response<Incoming>, Lease), UpstreamError> {
        if let Some(line) = self.pooled(thread) {
            let mut lease = self.lease(line, thread);
            let answered = pin!(lease.line.send(take_one(request)));
            match lease.wait(answered, upload).await {
                Ok(Ok(response)) => return Ok((response, lease)),
                // It had been closed just now, and nothing was sent.
                Ok(Err(unsent)) => *request = Some(unsent),
                // It was closed while the request was under way, or by it.
                Err(UpstreamError::Broken(_)) if request.is_some() => {}
                Err(error) => return Err(error),
            }
        }
        // It is rare and large, and on the heap only while it lasts.
        Box::pin(self.send_anew(take(request), upload, thread)).await
    }

    /// The same on a connection of its own.
    async fn send_anew(
        self: &Arc<Self>,
        request: Request<Outgoing>,
        upload: Option<&Upload>,
        thread: usize,
    ) -> Result<(Response<Incoming>, Lease), UpstreamError> {
        let line = Box::new(self.connect().await?);
        let mut lease = self.lease(line, thread);
        let answered = pin!(lease.line.send(request));
        match lease.wait(answered, upload).await? {
            Ok(response) => Ok((response, lease)),
            Err(_) => Err(UpstreamError::Unreachable("the upstream closed at once".to_owned())),
        }
    }

    fn lease(self: &Arc<Self>, line: Box<Line>, thread: usize) -> Lease {
        Lease { line, destination: Arc::clone(self), thread }
    }

    /// Closes connections that nobody has used for long, and those from
    /// addresses that are gone.
    pub(super) fn sweep(&self) {
        let (missing, now) = (self.outbound.missing(), clock::now());
        for pool in &self.pools {
            let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
            pool.retain_mut(|Pooled { line, since }| {
                let comes_from_here = line.source.is_none_or(|source| !missing.contains(&source));
                now.saturating_sub(*since) < patience::POOLED
                    && comes_from_here
                    && !line.has_ended()
            });
        }
    }

    fn pooled(&self, thread: usize) -> Option<Box<Line>> {
        let mut pool = self.pools[thread].lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|pooled| !pooled.line.is_closed());
        let ready = pool.iter().rposition(|pooled| pooled.line.is_ready())?;
        Some(pool.swap_remove(ready).line)
    }

    /// Each upstream has its turn; one that cannot be reached passes it on, in
    /// time for the others. An address that is gone is no fault of theirs.
    async fn connect(&self) -> Result<Line, UpstreamError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let end = Instant::now() + patience::CONNECT;
        let mut last = UpstreamError::Unreachable("there is no upstream".to_owned());
        for (upstream, end) in in_time(self.in_turn(turn), end) {
            match self.connect_to(upstream, end()).await {
                Ok(line) => return Ok(line),
                Err(error @ UpstreamError::Outbound(DialError::NotHere { .. })) => {
                    return Err(error);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn in_turn(&self, turn: usize) -> Vec<&Upstream> {
        let (before, from) = self.upstreams.split_at(turn % self.upstreams.len().max(1));
        from.iter().chain(before).collect()
    }

    /// Connects to one of the addresses of an upstream.
    async fn connect_to(&self, upstream: &Upstream, end: Instant) -> Result<Line, UpstreamError> {
        let late = || UpstreamError::Unreachable(format!("{upstream} did not answer in time"));
        let addresses = timeout_at(end, resolve(upstream)).await.unwrap_or_else(|_| Err(late()))?;
        let mut last = UpstreamError::Unreachable(format!("{upstream} has no address"));
        for (address, end) in in_time(addresses, end) {
            let connecting = self.connect_at(upstream, address);
            match timeout_at(end(), connecting).await.unwrap_or_else(|_| Err(late())) {
                Ok(line) => return Ok(line),
                Err(error @ UpstreamError::Outbound(DialError::NotHere { .. })) => {
                    return Err(error);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_at(
        &self,
        upstream: &Upstream,
        address: SocketAddr,
    ) -> Result<Line, UpstreamError> {
        let stream = self.outbound.connect(address).await.map_err(|error| match error {
            DialError::NotHere { .. } | DialError::NoAddress(_) => UpstreamError::Outbound(error),
            DialError::Unreachable { .. } => UpstreamError::Unreachable(error.to_string()),
        })?;
        let source = stream.local_addr().ok().map(|local| local.ip());
        let stream = Sent(stream);
        let Some(tls) = &self.tls else { return Ok(Line::begin(stream, source).await?) };
        let connector = TlsConnector::from(Arc::clone(tls));
        match connector.connect(server_name(upstream)?, stream).await {
            Ok(stream) => Ok(Line::begin(stream, source).await?),
            Err(error) => Err(UpstreamError::Unreachable(format!("{upstream}: TLS: {error}"))),
        }
    }
}

impl Lease {
    /// The answer to what was sent, or the request if nothing of it was.
    async fn wait(
        &mut self,
        mut answered: Pin<&mut impl Future<Output = Answered>>,
        upload: Option<&Upload>,
    ) -> Result<Result<Response<Incoming>, Request<Outgoing>>, UpstreamError> {
        self.be_patient();
        poll_fn(|cx| match self.line.poll_for(cx, |cx| answered.as_mut().poll(cx)) {
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(Ok(response))),
            Poll::Ready(Err(mut error)) => Poll::Ready(match error.take_message() {
                Some(unsent) => Ok(Err(unsent)),
                None => Err(error.into_error().into()),
            }),
            Poll::Pending => {
                ready!(self.poll_silence(cx, upload));
                Poll::Ready(Err(UpstreamError::Timeout("the upstream")))
            }
        })
        .await
    }

    /// From now on the upstream may be silent for as long as it may at all.
    pub(super) fn be_patient(&mut self) {
        self.line.deadline.set(Instant::now() + self.destination.patience);
    }

    /// Ready when the upstream has been silent for too long: since it was waited
    /// for, or was given more of the request's own body.
    pub(super) fn poll_silence(
        &mut self,
        cx: &mut Context<'_>,
        upload: Option<&Upload>,
    ) -> Poll<()> {
        loop {
            ready!(self.line.deadline.poll(cx));
            let later = upload.map(|upload| upload.deadline(self.destination.patience));
            match later.filter(|later| *later > Instant::now()) {
                Some(later) => self.line.deadline.set(later),
                None => return Poll::Ready(()),
            }
        }
    }

    /// The connection, for what comes of it.
    pub(super) fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    /// The answer was read to its end: the connection waits for the next
    /// request.
    pub(super) fn give_back(self) {
        let pool = &self.destination.pools[self.thread];
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < patience::MOST_POOLED && !self.line.is_closed() {
            pool.push(Pooled { line: self.line, since: clock::now() });
        }
    }
}

/// Takes a request out of its place, and leaves another there if it may be sent a
/// second time.
fn take_one(request: &mut Option<Request<Outgoing>>) -> Request<Outgoing> {
    let first = take(request);
    *request = repeatable(&first);
    first
}

fn take(request: &mut Option<Request<Outgoing>>) -> Request<Outgoing> {
    request.take().expect("there is a request until it was sent")
}

/// A request that may be sent a second time when it is not known whether the
/// first was heard (RFC 9110, section 9.2.2).
fn repeatable(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let is_plain = !request.headers().contains_key(UPGRADE);
    let is_empty = matches!(request.body(), Outgoing::Empty);
    let may_repeat = request.method().is_safe() && is_empty && is_plain;
    may_repeat.then(|| {
        let mut again = Request::new(Outgoing::Empty);
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.headers_mut() = request.headers().clone();
        again
    })
}

/// Each with the time by which it has to be done: its share of what is left when
/// its turn comes.
fn in_time<T>(tasks: Vec<T>, end: Instant) -> impl Iterator<Item = (T, impl FnOnce() -> Instant)> {
    let count = tasks.len();
    tasks.into_iter().enumerate().map(move |(place, task)| {
        let share = move || {
            let left = end.saturating_duration_since(Instant::now());
            Instant::now() + left / u32::try_from(count - place).unwrap_or(u32::MAX)
        };
        (task, share)
    })
}

async fn resolve(upstream: &Upstream) -> Result<Vec<SocketAddr>, UpstreamError> {
    let port = upstream.port();
    match upstream.host() {
        Host::Ipv4(address) => Ok(vec![(*address, port).into()]),
        Host::Ipv6(address) => Ok(vec![(*address, port).into()]),
        Host::Domain(name) => match tokio::net::lookup_host((name.as_str(), port)).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(UpstreamError::Unreachable(format!("{name}: {error}"))),
        },
    }
}

fn server_name(upstream: &Upstream) -> Result<ServerName<'static>, UpstreamError> {
    Ok(match upstream.host() {
        Host::Ipv4(address) => ServerName::IpAddress((*address).into()),
        Host::Ipv6(address) => ServerName::IpAddress((*address).into()),
        Host::Domain(name) => ServerName::try_from(name.clone())
            .map_err(|error| UpstreamError::Unreachable(format!("{upstream}: {error}")))?,
    })
}
