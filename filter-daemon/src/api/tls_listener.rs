//! The API over TLS 1.3, on the addresses of filterd.toml.
//!
//! Owns the sockets, the places that clients take, and the certificate that
//! they are shown. Never stops the daemon: an address that is taken, or a
//! certificate that is not good, is told and tried again, and the filter goes
//! on meanwhile.

mod bind;
mod connection;
mod names;
mod pace;
mod places;
mod status;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use status::ListenerStatus;

use super::guarded_router;
use super::limits::{ACCEPT_PAUSE, GRACE};
use crate::command::Session;
use crate::config::{Admin, Config};
use crate::control::Control;
use crate::tls::{self, Keeper, Source};
use places::Places;

/// How often an address that is taken is tried again.
const BIND_PAUSE: Duration = Duration::from_secs(2);

/// HTTP/2 is preferred.
const PROTOCOLS: [&[u8]; 2] = [connection::H2, b"http/1.1"];

/// Listeners to be.
pub struct TlsListener {
    listen: Vec<SocketAddr>,
    connections: usize,
    keeper: Keeper,
    acceptor: TlsAcceptor,
    status: watch::Sender<ListenerStatus>,
}

/// A TLS library without random numbers.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

impl TlsListener {
    /// What a configuration asks for, if it asks for any. Makes the
    /// certificate ready; does not listen yet.
    pub fn new(config: &Config) -> Result<Option<Self>, TlsError> {
        let Config { admin, paths, limits, .. } = config;
        if admin.listen.is_empty() {
            return Ok(None);
        }
        let keeper = Keeper::start(certificate(admin, &paths.state), SystemTime::now());
        let server = tls::server_config(Arc::new(keeper.served()), &PROTOCOLS)?;
        let status = ListenerStatus::new(&admin.listen, admin.certificate.clone(), keeper.held());
        Ok(Some(Self {
            listen: admin.listen.clone(),
            connections: limits.admin_connections,
            keeper,
            acceptor: TlsAcceptor::from(Arc::new(server)),
            status: watch::Sender::new(status),
        }))
    }

    /// How it fares, from now on.
    pub fn status(&self) -> watch::Receiver<ListenerStatus> {
        self.status.subscribe()
    }

    /// Serves until the token is cancelled, then lets open requests end.
    pub async fn serve(self, control: Control, shutdown: CancellationToken) {
        let gate = Arc::new(Gate {
            router: guarded_router(control).layer(Extension(shutdown.clone())),
            acceptor: self.acceptor,
            places: Arc::new(Places::new(self.connections)),
            status: self.status,
            shutdown: shutdown.clone(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(self.keeper.run(shutdown.clone()));
        for address in &self.listen {
            tasks.spawn(
                Arc::clone(&gate).listen(*address, bind::is_v6_alone(*address, &self.listen)),
            );
        }
        while let Some(ended) = tasks.join_next().await {
            note_panic(ended);
        }
    }
}

fn certificate(admin: &Admin, state: &std::path::Path) -> Source {
    if let Some(files) = &admin.certificate {
        return Source::Files(files.clone());
    }
    let listen = admin.listen.clone();
    Source::Own {
        directory: state.to_owned(),
        file: "server.pem".to_owned(),
        host: names::host().unwrap_or_else(|| "this host".to_owned()),
        names: Box::new(move || names::names(&listen)),
    }
}

fn note_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of the Admin API ended in a panic");
    }
}

/// What every client has to pass.
struct Gate {
    router: Router,
    acceptor: TlsAcceptor,
    places: Arc<Places>,
    status: watch::Sender<ListenerStatus>,
    shutdown: CancellationToken,
}

impl Gate {
    async fn listen(self: Arc<Self>, address: SocketAddr, v6_alone: bool) {
        let bound = self.shutdown.run_until_cancelled(self.bind(address, v6_alone)).await;
        let Some(listener) = bound else { return };
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                Some(ended) = clients.join_next() => note_panic(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(&mut clients, stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, %address, "the Admin API cannot accept a client");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        let all_left = async {
            while let Some(ended) = clients.join_next().await {
                note_panic(ended);
            }
        };
        if tokio::time::timeout(GRACE, all_left).await.is_err() {
            tracing::info!(%address, left = clients.len(), "clients of the Admin API are cut off");
            clients.shutdown().await;
        }
    }

    /// Listens as soon as the address is free.
    async fn bind(&self, address: SocketAddr, v6_alone: bool) -> TcpListener {
        loop {
            match bind::bind(address, v6_alone) {
                Ok(listener) => {
                    tracing::info!(%address, "the Admin API listens");
                    self.status.send_if_modified(|status| status.note(address, Ok(())));
                    return listener;
                }
                Err(error) => self.note_taken(address, &error.to_string()),
            }
            tokio::time::sleep(BIND_PAUSE).await;
        }
    }

    fn note_taken(&self, address: SocketAddr, why: &str) {
        let is_news = self.status.send_if_modified(|status| status.note(address, Err(why)));
        if is_news {
            tracing::warn!(%address, "the Admin API cannot listen: {why}; it is tried again");
        }
    }

    /// Who finds no place is turned away at once, before TLS.
    fn admit(
        self: &Arc<Self>,
        clients: &mut JoinSet<()>,
        stream: tokio::net::TcpStream,
        peer: SocketAddr,
    ) {
        // A listener of both families sees IPv4 as IPv6.
        let plain =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let Ok(local) = stream.local_addr() else { return };
        let session = Session { peer: plain(peer), local: plain(local) };
        match self.places.take(peer.ip()) {
            Ok(place) => {
                let gate = Arc::clone(self);
                clients.spawn(async move {
                    connection::serve(
                        stream,
                        session,
                        &gate.acceptor,
                        gate.router.clone(),
                        &gate.shutdown,
                    )
                    .await;
                    drop(place);
                });
            }
            Err(full) if self.places.is_to_be_told(Instant::now()) => {
                tracing::warn!(%peer, "a client of the Admin API is turned away: {full}");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
