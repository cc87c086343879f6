//! Where an app's requests go: connections to its upstreams, kept for the next
//! request, and new ones when there is none.
//!
//! Invariant: a connection is used again only after a whole answer, and a
//! request is sent a second time only when nothing of it had been sent.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::Host;

use super::body::Outgoing;
use super::outbound::{DialError, Outbound};
use super::patience;
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
    sender: SendRequest<Outgoing>,
    since: Instant,
}

/// A connection that carries a request.
pub(super) struct Lease {
    sender: SendRequest<Outgoing>,
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

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Request<Outgoing>,
        thread: usize,
    ) -> Result<(hyper::Response<Incoming>, Lease), UpstreamError> {
        while let Some(sender) = self.pooled(thread) {
            let mut lease = Lease { sender, destination: Arc::clone(self), thread };
            match lease.send(request).await? {
                Ok(response) => return Ok((response, lease)),
                // It had been closed just now, and nothing was sent.
                Err(unsent) => request = unsent,
            }
        }
        // It is rare and large, and on the heap only while it lasts.
        let sender = Box::pin(self.connect()).await?;
        let mut lease = Lease { sender, destination: Arc::clone(self), thread };
        match lease.send(request).await? {
            Ok(response) => Ok((response, lease)),
            Err(_) => Err(UpstreamError::Unreachable("the upstream closed at once".to_owned())),
        }
    }

    /// Closes connections that nobody has used for long.
    pub(super) fn sweep(&self) {
        for pool in &self.pools {
            let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
            pool.retain(|p| p.since.elapsed() < patience::POOLED && !p.sender.is_closed());
        }
    }

    fn pooled(&self, thread: usize) -> Option<SendRequest<Outgoing>> {
        let mut pool = self.pools[thread].lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|pooled| !pooled.sender.is_closed());
        let ready = pool.iter().rposition(|pooled| pooled.sender.is_ready())?;
        Some(pool.swap_remove(ready).sender)
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, UpstreamError> {
        let connecting = tokio::time::timeout(patience::CONNECT, self.connect_to_any()).await;
        connecting.unwrap_or(Err(UpstreamError::Timeout("the connection to the upstream")))
    }

    /// Each upstream has its turn; one that cannot be reached passes it on.
    async fn connect_to_any(&self) -> Result<SendRequest<Outgoing>, UpstreamError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let mut last = UpstreamError::Unreachable("there is no upstream".to_owned());
        for offset in 0..self.upstreams.len() {
            let upstream = &self.upstreams[(turn + offset) % self.upstreams.len()];
            match self.connect_to(upstream).await {
                Ok(sender) => return Ok(sender),
                Err(error @ UpstreamError::Outbound(_)) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(
        &self,
        upstream: &Upstream,
    ) -> Result<SendRequest<Outgoing>, UpstreamError> {
        let unreachable = |text| UpstreamError::Unreachable(text);
        let mut last = unreachable(format!("{upstream} has no address"));
        for address in resolve(upstream).await? {
            let stream = match self.outbound.connect(address).await {
                Ok(stream) => stream,
                Err(error @ DialError::NotHere { .. }) => {
                    return Err(UpstreamError::Outbound(error));
                }
                Err(error @ DialError::NoAddress(_)) => {
                    last = UpstreamError::Outbound(error);
                    continue;
                }
                Err(error @ DialError::Unreachable { .. }) => {
                    last = unreachable(error.to_string());
                    continue;
                }
            };
            let Some(tls) = &self.tls else { return handshake(stream).await };
            let connector = TlsConnector::from(Arc::clone(tls));
            match connector.connect(server_name(upstream)?, stream).await {
                Ok(stream) => return handshake(stream).await,
                Err(error) => last = unreachable(format!("{upstream}: TLS: {error}")),
            }
        }
        Err(last)
    }
}

impl Lease {
    /// The answer, or the request if nothing of it was sent.
    async fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Result<hyper::Response<Incoming>, Request<Outgoing>>, UpstreamError> {
        let answer = self.sender.try_send_request(request);
        match tokio::time::timeout(self.destination.patience, answer).await {
            Err(_) => Err(UpstreamError::Timeout("the upstream")),
            Ok(Ok(response)) => Ok(Ok(response)),
            Ok(Err(mut error)) => match error.take_message() {
                Some(unsent) => Ok(Err(unsent)),
                None => Err(error.into_error().into()),
            },
        }
    }

    /// The answer was read to its end: the connection waits for the next
    /// request.
    pub(super) fn give_back(self) {
        let pool = &self.destination.pools[self.thread];
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < patience::MOST_POOLED && !self.sender.is_closed() {
            pool.push(Pooled { sender: self.sender, since: Instant::now() });
        }
    }
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

async fn handshake<S>(stream: S) -> Result<SendRequest<Outgoing>, UpstreamError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(patience::BUFFER_BYTES)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to an upstream broke off");
        }
    });
    Ok(sender)
}
