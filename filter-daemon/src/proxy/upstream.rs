//! Where an app's requests go: connections to its upstreams, kept for the next
//! request, and new ones when there is none.
//!
//! Invariant: a connection is used again only after a whole answer, and a
//! request is sent a second time only when nothing of it had been sent.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::UPGRADE;
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::Host;

use super::body::Outgoing;
use super::outbound::{DialError, Outbound};
use super::patience;
use super::sent::Sent;
use super::upload::Upload;
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

/// A connection to an upstream; it ends with the value, whatever it still has of
/// a request.
struct Line {
    sender: SendRequest<Outgoing>,
    /// The address of this host that it comes from.
    source: Option<IpAddr>,
    /// Ends the task that drives it.
    task: AbortHandle,
}

struct Pooled {
    line: Line,
    since: Instant,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection that carries a request.
pub(super) struct Lease {
    line: Line,
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
    /// is told beside, if it has one.
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Request<Outgoing>,
        upload: Option<&Upload>,
        thread: usize,
    ) -> Result<(hyper::Response<Incoming>, Lease), UpstreamError> {
        while let Some(line) = self.pooled(thread) {
            let again = repeatable(&request);
            let mut lease = Lease { line, destination: Arc::clone(self), thread };
            request = match (lease.send(request, upload).await, again) {
                (Ok(Ok(response)), _) => return Ok((response, lease)),
                // It had been closed just now, and nothing was sent.
                (Ok(Err(unsent)), _) => unsent,
                // It was closed while the request was under way, or by it.
                (Err(UpstreamError::Broken(_)), Some(again)) => {
                    request = again;
                    break;
                }
                (Err(error), _) => return Err(error),
            };
        }
        // It is rare and large, and on the heap only while it lasts.
        let line = Box::pin(self.connect()).await?;
        let mut lease = Lease { line, destination: Arc::clone(self), thread };
        match lease.send(request, upload).await? {
            Ok(response) => Ok((response, lease)),
            Err(_) => Err(UpstreamError::Unreachable("the upstream closed at once".to_owned())),
        }
    }

    /// Closes connections that nobody has used for long, and those from
    /// addresses that are gone.
    pub(super) fn sweep(&self) {
        let missing = self.outbound.missing();
        for pool in &self.pools {
            let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
            pool.retain(|Pooled { line, since }| {
                let comes_from_here = line.source.is_none_or(|source| !missing.contains(&source));
                let is_kept = since.elapsed() < patience::POOLED && !line.sender.is_closed();
                is_kept && comes_from_here
            });
        }
    }

    fn pooled(&self, thread: usize) -> Option<Line> {
        let mut pool = self.pools[thread].lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|pooled| !pooled.line.sender.is_closed());
        let ready = pool.iter().rposition(|pooled| pooled.line.sender.is_ready())?;
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
        let Some(tls) = &self.tls else { return handshake(stream, source).await };
        let connector = TlsConnector::from(Arc::clone(tls));
        match connector.connect(server_name(upstream)?, stream).await {
            Ok(stream) => handshake(stream, source).await,
            Err(error) => Err(UpstreamError::Unreachable(format!("{upstream}: TLS: {error}"))),
        }
    }
}

impl Lease {
    /// The answer, or the request if nothing of it was sent. The request is
    /// handed over at once, not when the answer is waited for.
    fn send(
        &mut self,
        request: Request<Outgoing>,
        upload: Option<&Upload>,
    ) -> impl Future<Output = Result<Result<hyper::Response<Incoming>, Request<Outgoing>>, UpstreamError>>
    {
        let patience = self.destination.patience;
        let answer = self.line.sender.try_send_request(request);
        async move {
            let mut answer = pin!(answer);
            let mut deadline = Instant::now() + patience;
            loop {
                match timeout_at(deadline, &mut answer).await {
                    Ok(Ok(response)) => return Ok(Ok(response)),
                    Ok(Err(mut error)) => {
                        return match error.take_message() {
                            Some(unsent) => Ok(Err(unsent)),
                            None => Err(error.into_error().into()),
                        };
                    }
                    Err(_) => {
                        let later = upload.map(|upload| upload.deadline(patience));
                        let later = later.filter(|later| *later > Instant::now());
                        deadline = later.ok_or(UpstreamError::Timeout("the upstream"))?;
                    }
                }
            }
        }
    }

    /// The answer was read to its end: the connection waits for the next
    /// request.
    pub(super) fn give_back(self) {
        let pool = &self.destination.pools[self.thread];
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < patience::MOST_POOLED && !self.line.sender.is_closed() {
            pool.push(Pooled { line: self.line, since: Instant::now() });
        }
    }
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

async fn handshake<S>(stream: S, source: Option<IpAddr>) -> Result<Line, UpstreamError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(patience::BUFFER_BYTES)
        .handshake(TokioIo::new(stream))
        .await?;
    let driving = tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to an upstream broke off");
        }
    });
    Ok(Line { sender, source, task: driving.abort_handle() })
}
