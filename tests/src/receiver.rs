//! Real sockets, to which a frame gets through or not.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::packet_socket::{PacketSocket, receive_from};
use crate::world::{Family, HOST_INTERFACE};

/// Multicast groups that a UDP receiver joins.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The same for IPv6.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// What listens on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// UDP sockets of both families, bound to the port and nothing else.
    Udp(u16),
    /// Raw IP sockets of both families, for a protocol.
    Raw(u8),
    /// A packet socket: for frames that are not IP.
    Packet,
}

/// Open sockets of a receiver. Raw sockets of IPv6 get no IP header, so what a
/// socket hears is looked at with its sender's address in front, too.
#[derive(Debug)]
pub struct Ears {
    sockets: Vec<Socket>,
    packet: Option<PacketSocket>,
}

impl Receiver {
    /// Opens its sockets, on a thread inside the host's namespace.
    pub fn open(self) -> io::Result<Ears> {
        let mut ears = Ears { sockets: Vec::new(), packet: None };
        match self {
            Self::Udp(port) => {
                for family in Family::BOTH {
                    ears.sockets.push(udp(family, port)?);
                }
            }
            Self::Raw(protocol) => {
                for family in Family::BOTH {
                    let protocol = Protocol::from(i32::from(protocol));
                    ears.sockets.push(Socket::new(domain(family), Type::RAW, Some(protocol))?);
                }
            }
            Self::Packet => ears.packet = Some(PacketSocket::open(HOST_INTERFACE)?),
        }
        Ok(ears)
    }
}

impl Ears {
    /// Whether anything that has arrived by now holds the mark.
    pub fn heard(&self, mark: &[u8]) -> io::Result<bool> {
        let holds = |bytes: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
        let mut heard = false;
        for socket in &self.sockets {
            while let Some((sender, bytes)) = receive_from(socket, Duration::ZERO)? {
                heard |= holds(&bytes) || holds(&[sender, bytes].concat());
            }
        }
        if let Some(socket) = &self.packet {
            while let Some(bytes) = socket.receive(Duration::ZERO)? {
                heard |= holds(&bytes);
            }
        }
        Ok(heard)
    }
}

/// A UDP socket bound to a port of every address of a family.
pub fn udp(family: Family, port: u16) -> io::Result<Socket> {
    let socket = Socket::new(domain(family), Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    let index = nix::net::if_::if_nametoindex(HOST_INTERFACE)?;
    match family {
        Family::V4 => {
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
            let interface = socket2::InterfaceIndexOrAddress::Index(index);
            socket.join_multicast_v4_n(&GROUP_V4, &interface)?;
        }
        Family::V6 => {
            socket.set_only_v6(true)?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
            socket.join_multicast_v6(&GROUP_V6, index)?;
        }
    }
    Ok(socket)
}

fn domain(family: Family) -> Domain {
    match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    }
}
