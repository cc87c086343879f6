//! The source addresses of connections to upstreams: those of filterd.toml and
//! no others.
//!
//! Invariant: where addresses are configured, no connection is begun from
//! another one. An address that the host does not have is an error.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};

/// So much may wait in a socket that the upstream has no room for yet: what it
/// takes is noticed in steps of that.
const UNSENT_BYTES: u32 = 128 << 10;

/// Source addresses, used in turn.
#[derive(Debug)]
pub(super) struct Outbound {
    /// Empty: the kernel chooses.
    addresses: Vec<IpAddr>,
    /// How long the other end may leave what was sent unanswered.
    patience: Duration,
    next: AtomicUsize,
}

/// Why no connection came to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// None of the addresses is of the family.
    #[error("none of the outbound addresses of filterd.toml can reach {0}: add one of its family")]
    NoAddress(SocketAddr),
    /// The host does not have the address.
    #[error("the outbound address {address} of filterd.toml is not on this host: {error}")]
    NotHere {
        /// The address.
        address: IpAddr,
        /// What the kernel says.
        error: io::Error,
    },
    /// The upstream cannot be reached.
    #[error("{to} cannot be reached: {error}")]
    Unreachable {
        /// The upstream.
        to: SocketAddr,
        /// What the kernel says.
        error: io::Error,
    },
}

impl Outbound {
    pub(super) fn new(addresses: Vec<IpAddr>, patience: Duration) -> Self {
        Self { addresses, patience, next: AtomicUsize::new(0) }
    }

    /// Begins a connection from the address whose turn it is.
    pub(super) async fn connect(&self, to: SocketAddr) -> Result<TcpStream, DialError> {
        let source = self.source(to)?;
        let unreachable = |error| DialError::Unreachable { to, error };
        let socket = open(to).map_err(unreachable)?;
        if let Some(source) = source {
            bind(&socket, source).map_err(|error| DialError::NotHere { address: source, error })?;
        }
        let stream = socket.connect(to).await.map_err(|error| match source {
            // The address went between the two calls.
            Some(address) if !is_here(address) => DialError::NotHere { address, error },
            Some(_) | None => unreachable(error),
        })?;
        stream.set_nodelay(true).map_err(unreachable)?;
        // Also of one that was given up with something unsent.
        let patience = Some(self.patience);
        SockRef::from(&stream).set_tcp_user_timeout(patience).map_err(unreachable)?;
        Ok(stream)
    }

    /// Those of the addresses that are not on the host now.
    pub(super) fn missing(&self) -> Vec<IpAddr> {
        self.addresses.iter().copied().filter(|address| !is_here(*address)).collect()
    }

    fn source(&self, to: SocketAddr) -> Result<Option<IpAddr>, DialError> {
        if self.addresses.is_empty() {
            return Ok(None);
        }
        let fit = || self.addresses.iter().filter(|address| address.is_ipv4() == to.is_ipv4());
        let count = fit().count().max(1);
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % count;
        fit().nth(turn).copied().map(Some).ok_or(DialError::NoAddress(to))
    }
}

fn open(to: SocketAddr) -> io::Result<TcpSocket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_keepalive(&socket2::TcpKeepalive::new())?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    Ok(TcpSocket::from_std_stream(socket.into()))
}

/// Whether an address is on the host, as a socket can be bound to it.
fn is_here(address: IpAddr) -> bool {
    let to = SocketAddr::new(address, 0);
    open(to).is_ok_and(|socket| bind(&socket, address).is_ok())
}

/// The port is chosen when the connection is begun, so that one address has
/// room for many upstreams.
fn bind(socket: &TcpSocket, source: IpAddr) -> io::Result<()> {
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)?;
    SockRef::from(socket).bind(&SocketAddr::new(source, 0).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_used_in_turn_and_no_other() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = listener.local_addr().expect("bound");
        let sources = ["127.0.0.2", "::1", "127.0.0.3"].map(|text| text.parse().expect(text));
        let outbound = Outbound::new(sources.to_vec(), Duration::from_secs(1));
        let mut seen = Vec::new();
        for _ in 0..4 {
            let _stream = outbound.connect(to).await.expect("loopback has them all");
            seen.push(listener.accept().await.expect("a connection").1.ip().to_string());
        }
        assert!(outbound.missing().is_empty());
        assert_eq!(seen, ["127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3"]);
    }

    #[tokio::test]
    async fn an_address_that_is_not_here_is_an_error() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = listener.local_addr().expect("bound");
        let gone = Outbound::new(vec!["192.0.2.77".parse().expect("valid")], Duration::ZERO);
        assert!(matches!(gone.connect(to).await, Err(DialError::NotHere { .. })));
        assert_eq!(gone.missing(), gone.addresses);
        let other_family = Outbound::new(vec!["::1".parse().expect("valid")], Duration::ZERO);
        assert!(matches!(other_family.connect(to).await, Err(DialError::NoAddress(_))));
    }
}
