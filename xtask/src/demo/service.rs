//! Services that answer whoever reaches them: TCP and UDP, in both families,
//! one thread a socket.

use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr};
use std::thread;

use anyhow::{Context as _, Result};
use socket2::{Domain, Socket, Type};

use super::namespace::Namespace;
use super::network::Network;

/// A port of the host.
pub(super) const HOST_PORT: u16 = 8080;
/// The port with a list of its own.
pub(super) const FEED_PORT: u16 = 9000;

/// Starts them on the server, and at the unlisted client, whom the server
/// calls. They end with the process.
pub(super) fn start(network: &Network) -> Result<()> {
    for port in [HOST_PORT, FEED_PORT] {
        answer_at(&network.server, port)?;
    }
    answer_at(&network.unlisted, HOST_PORT)
}

fn answer_at(namespace: &Namespace, port: u16) -> Result<()> {
    let (tcp, udp) = namespace.run(|| Ok((bind(Type::STREAM, port)?, bind(Type::DGRAM, port)?)))?;
    tcp.listen(1024)?;
    thread::spawn(move || answer_streams(&tcp.into()));
    thread::spawn(move || answer_datagrams(&udp.into()));
    Ok(())
}

/// Both families: an IPv6 socket takes IPv4 as well.
fn bind(kind: Type, port: u16) -> Result<Socket> {
    let socket = Socket::new(Domain::IPV6, kind, None)?;
    socket.set_only_v6(false)?;
    socket.set_reuse_address(true)?;
    let address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    socket.bind(&address.into()).with_context(|| format!("cannot bind port {port}"))?;
    Ok(socket)
}

fn answer_streams(listener: &std::net::TcpListener) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        thread::spawn(move || {
            let mut word = [0; 64];
            while let Ok(length @ 1..) = stream.read(&mut word) {
                if stream.write_all(&word[..length]).is_err() {
                    return;
                }
            }
        });
    }
}

fn answer_datagrams(socket: &std::net::UdpSocket) {
    let mut datagram = vec![0; usize::from(u16::MAX)];
    loop {
        // An error here is about one peer that is gone; others go on.
        if let Ok((length, peer)) = socket.recv_from(&mut datagram) {
            let _gone = socket.send_to(&datagram[..length], peer);
        }
    }
}
