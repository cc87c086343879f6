//! Flows between the host and the outside, opened for real, so that the
//! host's socket table holds them.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use super::{
    Family, HOST, HOST_INTERFACE, OUTSIDE_INTERFACE, OUTSIDE_MAC, Place, UNLISTED, World, text,
};
use crate::deadline::wait_for;
use crate::frame::Packet;
use crate::frame::segment::{Segment, flags};
use crate::packet_socket::PacketSocket;

/// A flow as the host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The host's port.
    pub local_port: u16,
    /// The far end.
    pub remote: Place,
    /// The far end's port.
    pub remote_port: u16,
}

/// A TCP connection that the host opened.
pub const OPENED_TCP: Flow = Flow { local_port: 41001, remote: UNLISTED, remote_port: 7001 };
/// One that it is opening, to somebody who does not answer.
pub const OPENING_TCP: Flow = Flow { local_port: 41002, remote: Place(200), remote_port: 7002 };
/// One that it accepted.
pub const ACCEPTED_TCP: Flow = Flow { local_port: 8443, remote: UNLISTED, remote_port: 42003 };
/// One whose handshake with a listener of the host is not complete.
pub const HALF_OPEN_TCP: Flow = Flow { local_port: 8443, remote: Place(201), remote_port: 42004 };
/// One that the host opened from a port on which it also listens.
pub const OPENED_BESIDE_LISTENER: Flow =
    Flow { local_port: 8444, remote: UNLISTED, remote_port: 7005 };
/// A UDP socket of the host that is connected.
pub const CONNECTED_UDP: Flow = Flow { local_port: 41005, remote: UNLISTED, remote_port: 53 };
/// One from a port that this host hands out to nobody by itself.
pub const CONNECTED_UDP_FIXED: Flow = Flow { local_port: 1123, remote: UNLISTED, remote_port: 123 };
/// One of a server, beside the socket at which it waits for other clients.
pub const SERVED_UDP: Flow = Flow { local_port: 41007, remote: UNLISTED, remote_port: 42007 };
/// A UDP socket of the host that is bound and no more.
pub const BOUND_UDP: Flow = Flow { local_port: 41006, remote: UNLISTED, remote_port: 53 };

/// The sockets of all flows, in both families; closed when dropped.
#[derive(Debug)]
pub struct Flows {
    _sockets: Vec<Socket>,
}

impl Flows {
    /// Opens them all. No filter may stand in the way yet.
    pub fn open(world: &World) -> Self {
        let mut sockets = Vec::new();
        // Those who do not answer have a station, or the kernel would soon
        // give up on them; and it must not tire of asking them.
        for place in [OPENING_TCP.remote, HALF_OPEN_TCP.remote] {
            for family in Family::BOTH {
                let address = place.address(family);
                let station = text(OUTSIDE_MAC);
                world.host.ip(&format!(
                    "neigh replace {address} lladdr {station} nud permanent dev {HOST_INTERFACE}"
                ));
            }
        }
        world.host.sysctl("ipv4/tcp_syn_retries", "100");
        world.host.sysctl("ipv4/tcp_synack_retries", "100");
        for family in Family::BOTH {
            sockets.extend(open(world, family).expect("the flows of the world open"));
        }
        Self { _sockets: sockets }
    }
}

fn open(world: &World, family: Family) -> io::Result<Vec<Socket>> {
    let host = |port| SocketAddr::new(HOST.address(family), port);
    let far = |flow: Flow| SocketAddr::new(flow.remote.address(family), flow.remote_port);
    let mut sockets = Vec::new();
    sockets.extend(world.outside.run(|| {
        [OPENED_TCP, OPENED_BESIDE_LISTENER]
            .map(|flow| listener(far(flow)))
            .into_iter()
            .collect::<io::Result<Vec<_>>>()
    })?);
    sockets.extend(world.host.run(|| {
        let opened = connect(host(OPENED_TCP.local_port), far(OPENED_TCP))?;
        let beside = connect(host(OPENED_BESIDE_LISTENER.local_port), far(OPENED_BESIDE_LISTENER))?;
        let opening = stream(host(OPENING_TCP.local_port))?;
        opening.set_nonblocking(true)?;
        match opening.connect(&far(OPENING_TCP).into()) {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            other => panic!("connecting to nobody ended with {other:?}"),
        }
        let busy = listener(host(OPENED_BESIDE_LISTENER.local_port))?;
        let accepting = listener(host(ACCEPTED_TCP.local_port))?;
        let [waiting, bound] =
            [SERVED_UDP, BOUND_UDP].map(|flow| anywhere(family, flow.local_port));
        let [connected, fixed, served] =
            [CONNECTED_UDP, CONNECTED_UDP_FIXED, SERVED_UDP].map(|flow| {
                let socket = datagrams(host(flow.local_port))?;
                socket.connect(&far(flow).into())?;
                io::Result::Ok(socket)
            });
        let datagrams = [waiting?, bound?, connected?, fixed?, served?];
        io::Result::Ok([opened, beside, opening, busy, accepting].into_iter().chain(datagrams))
    })?);
    let calling =
        world.outside.run(|| connect(far(ACCEPTED_TCP), host(ACCEPTED_TCP.local_port)))?;
    sockets.push(calling);
    ask(world, family)?;
    Ok(sockets)
}

/// Leaves a request socket behind: a SYN from somebody who will not answer
/// the SYN-ACK.
fn ask(world: &World, family: Family) -> io::Result<()> {
    let wire = world.outside.run(|| PacketSocket::open(OUTSIDE_INTERFACE))?;
    let segment =
        Segment::tcp(HALF_OPEN_TCP.remote_port, HALF_OPEN_TCP.local_port, flags::SYN, &[]);
    let packet = Packet::new(HALF_OPEN_TCP.remote.address(family), HOST.address(family), segment);
    wire.send(&packet.frame())?;
    let port = format!(":{:04X}", HALF_OPEN_TCP.remote_port);
    let table = if family.is_v6() { "tcp6" } else { "tcp" };
    wait_for("the request socket", || {
        world.host.run(|| {
            let sockets = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).ok()?;
            sockets.lines().any(|line| line.contains(&format!("{port} 03"))).then_some(())
        })
    });
    Ok(())
}

/// A UDP socket that waits for anybody, at every address of a family.
fn anywhere(family: Family, port: u16) -> io::Result<Socket> {
    let any = if family.is_v6() { [0_u16; 8].into() } else { [0_u8; 4].into() };
    datagrams(SocketAddr::new(any, port))
}

fn datagrams(local: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, None)?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&local.into())?;
    Ok(socket)
}

fn stream(local: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&local.into())?;
    Ok(socket)
}

fn listener(local: SocketAddr) -> io::Result<Socket> {
    let socket = stream(local)?;
    socket.listen(16)?;
    Ok(socket)
}

fn connect(local: SocketAddr, remote: SocketAddr) -> io::Result<Socket> {
    let socket = stream(local)?;
    socket.connect(&remote.into())?;
    Ok(socket)
}
