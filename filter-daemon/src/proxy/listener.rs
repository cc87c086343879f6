//! Accepting: an address and port of filterd.toml, and nobody but sources that
//! some app could let in.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use filter_common::verdict::Mode;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::handshake::Accepted;
use super::reason::Reason;
use super::shared::Shared;

/// Connections that the kernel may hold until they are accepted.
const BACKLOG: i32 = 4096;

/// How many are accepted before others have their turn.
const AT_ONCE: usize = 64;

/// How long it waits where the host has no room for more (descriptors, memory).
const NO_ROOM: Duration = Duration::from_millis(100);

/// Opens a port. The address need not be on the host yet.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
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

/// Accepts until told to stop, and spreads the connections over the threads.
pub(super) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    threads: Vec<UnboundedSender<Accepted>>,
    turn: Arc<AtomicUsize>,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = AsyncFd::new(listener)?;
    let port = listener.get_ref().local_addr()?.port();
    while let Some(ready) = stop.run_until_cancelled(listener.readable()).await {
        let mut ready = ready?;
        for _ in 0..AT_ONCE {
            match ready.try_io(|listener| listener.get_ref().accept()) {
                Ok(Ok((stream, peer))) => {
                    let thread = turn.fetch_add(1, Ordering::Relaxed) % threads.len();
                    hand_over(&shared, &threads[thread], stream, peer, port);
                }
                Ok(Err(error)) if is_no_room(&error) => {
                    tracing::warn!(%error, "no room for more connections");
                    tokio::time::sleep(NO_ROOM).await;
                }
                // The client was gone before it was accepted.
                Ok(Err(_)) => {}
                Err(_would_block) => break,
            }
        }
        tokio::task::yield_now().await;
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
        let counts = shared.tally.of(None);
        let _ = counts.count(Reason::NotListed, Mode::Enforce);
        if let Some(left_out) = counts.sample() {
            let reason = Reason::NotListed.name();
            tracing::info!(%peer, port, reason, left_out, "connection refused: on no access list");
        }
        return;
    }
    let is_set = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
    if is_set.is_err() {
        return;
    }
    let leave = CancellationToken::new();
    let place = shared.handshakes.enter(source, leave.clone());
    // A thread that has ended is at the daemon's own end.
    let _ = thread.send(Accepted { stream, peer, port, place, leave });
}

fn is_no_room(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM].iter().any(|no| code == Some(*no))
}
