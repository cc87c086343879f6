//! Sockets that listen, also on addresses that the host does not have yet.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

const BACKLOG: i32 = 128;

/// Whether `[::]` must leave IPv4 to another listener. Otherwise it takes
/// both families, as the system has it (net.ipv6.bindv6only).
pub(super) fn is_v6_alone(address: SocketAddr, listen: &[SocketAddr]) -> bool {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
    address.is_ipv6() && listen.contains(&v4)
}

/// Listens.
pub(super) fn bind(address: SocketAddr, v6_alone: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv4() {
        socket.set_freebind_v4(true)?;
    } else {
        socket.set_freebind_v6(true)?;
    }
    if v6_alone {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
