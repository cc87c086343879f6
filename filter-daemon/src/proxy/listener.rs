//! Accepting: an address and port of filterd.toml, and nobody but sources that
//! some app could let in.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use filter_common::verdict::Mode;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::handshake::Accepted;
use super::reason::Reason;
use super::refusals::Notice;
use super::shared::Shared;

/// Connections that the kernel may hold until they are accepted.
const BACKLOG: i32 = 4096;

/// How often an address that is taken is tried again.
const BIND_PAUSE: Duration = Duration::from_secs(2);

/// How long it waits where the host has no room for more (descriptors, memory).
const NO_ROOM: Duration = Duration::from_millis(100);

/// Opens a port. The address need not be on the host yet.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
        socket.set_freebind_v6(true)?;
    } else {
        socket.set_freebind_v4(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// An address of filterd.toml, and its socket once it has one.
pub(super) struct Listener {
    address: SocketAddr,
    socket: Option<TcpListener>,
}

impl Listener {
    /// Opens the port, if nobody else has it; else it is tried again later.
    pub(super) fn open(address: SocketAddr, shared: &Shared) -> Self {
        let bound = bind(address);
        let trouble = bound.as_ref().err().map(ToString::to_string);
        match (&trouble, shared.note_place(address, trouble.clone())) {
            (None, _) => tracing::info!(%address, "the proxy listens"),
            (Some(why), true) => {
                tracing::warn!(%address, "the proxy cannot listen: {why}; it is tried again");
            }
            (Some(_), false) => {}
        }
        Self { address, socket: bound.ok() }
    }

    async fn opened(mut self, shared: &Shared) -> TcpListener {
        loop {
            match self.socket {
                Some(socket) => return socket,
                None => tokio::time::sleep(BIND_PAUSE).await,
            }
            self = Self::open(self.address, shared);
        }
    }
}

/// Accepts until told to stop, and spreads the connections over the threads.
pub(super) async fn accept(
    listener: Listener,
    shared: Arc<Shared>,
    threads: Vec<UnboundedSender<Accepted>>,
    turn: Arc<AtomicUsize>,
    stop: CancellationToken,
) -> io::Result<()> {
    let Some(listener) = stop.run_until_cancelled(listener.opened(&shared)).await else {
        return Ok(());
    };
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let port = listener.local_addr()?.port();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
            Ok((stream, peer)) => {
                let thread = turn.fetch_add(1, Ordering::Relaxed) % threads.len();
                hand_over(&shared, &threads[thread], stream, peer, port);
            }
            Err(error) if is_no_room(&error) => {
                tracing::warn!(%error, "no room for more connections");
                tokio::time::sleep(NO_ROOM).await;
            }
            // The client was gone before it was accepted.
            Err(_) => {}
        }
    }
    Ok(())
}

fn hand_over(
    shared: &Shared,
    thread: &UnboundedSender<Accepted>,
    stream: TcpStream,
    peer: SocketAddr,
    port: u16,
) {
    let source = peer.ip().to_canonical();
    if !shared.sites.borrow().may_enter(source, port, super::now_s()) {
        let reason = Reason::NotListed;
        let _ = shared.tally.of(None).count(reason, Mode::Enforce);
        let (what, detail) = ("connection refused", "on no access list");
        let (app, client, name) = (None, None, None);
        shared.tell(&Notice { app, what, reason, peer, port, client, name, detail });
        return;
    }
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let handshake = shared.handshakes.enter(source, port);
    // A thread that has ended is at the daemon's own end.
    let _ = thread.send(Accepted { stream, peer, port, handshake });
}

fn is_no_room(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM].iter().any(|no| code == Some(*no))
}
