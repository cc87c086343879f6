//! The host's links and addresses, as netlink tells them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set: what is not asked for is passed over"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures_util::stream::TryStreamExt as _;
use futures_util::{Stream, StreamExt as _};
use ipnet::{Ipv4Net, Ipv6Net};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeader};
use netlink_packet_route::link::{
    LinkAttribute, LinkFlags, LinkLayerType, LinkMessage, LinkXdp, XdpAttached,
};
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection};

use crate::datapath::AttachMode;
use crate::policy::Alias;

/// A link of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) is_loopback: bool,
    /// Whether frames start with an Ethernet header.
    pub(super) is_ethernet: bool,
    /// The XDP program on it.
    pub(super) program: Option<AttachedProgram>,
}

/// An XDP program on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttachedProgram {
    pub(super) id: u32,
    /// Native or generic; anything else is told as native.
    pub(super) mode: AttachMode,
}

/// What the host looks like now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) links: BTreeMap<u32, Link>,
    /// Addresses that reach local ones beside their own, in order.
    pub(super) aliases: Vec<Alias>,
    /// The ports that flows begin from which this host opens.
    pub(super) ephemeral: Option<(u16, u16)>,
}

/// Where the kernel says so, for both families.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// A way to ask, and the news that it may be worth asking.
pub(super) struct Monitor {
    handle: Handle,
    /// None once the connection broke.
    news: Option<Box<dyn Stream<Item = ()> + Send + Sync + Unpin>>,
}

impl Monitor {
    pub(super) fn start() -> std::io::Result<Self> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr];
        let (connection, handle, messages) = new_multicast_connection(&groups)?;
        tokio::spawn(connection);
        Ok(Self { handle, news: Some(Box::new(messages.map(drop))) })
    }

    /// Waits for news; for ever when the connection is broken. It breaks, for
    /// instance, when messages come faster than they are read: that is news.
    pub(super) async fn changed(&mut self) {
        match &mut self.news {
            None => std::future::pending().await,
            Some(news) => {
                if news.next().await.is_none() {
                    self.news = None;
                }
            }
        }
    }

    /// Whether there will be no more news.
    pub(super) fn is_broken(&self) -> bool {
        self.news.is_none()
    }

    /// Reads all links and addresses.
    pub(super) async fn read(&self) -> Result<Network, rtnetlink::Error> {
        let mut network = Network { ephemeral: ephemeral(), ..Network::default() };
        let mut links = self.handle.link().get().execute();
        while let Some(message) = links.try_next().await? {
            network.links.extend(link(&message).map(|link| (link.index, link)));
        }
        let mut addresses = self.handle.address().get().execute();
        while let Some(message) = addresses.try_next().await? {
            let AddressHeader { family, prefix_len, index, .. } = message.header;
            if family == AddressFamily::Inet {
                network.aliases.extend(broadcasts(prefix_len, &message.attributes));
            } else if network.links.get(&index).is_some_and(|link| forwards_ipv6(&link.name)) {
                network.aliases.extend(anycast(prefix_len, &message.attributes));
            }
        }
        network.aliases.sort();
        network.aliases.dedup();
        Ok(network)
    }
}

fn ephemeral() -> Option<(u16, u16)> {
    let text = std::fs::read_to_string(EPHEMERAL).ok()?;
    let mut ports = text.split_ascii_whitespace().map(str::parse);
    Some((ports.next()?.ok()?, ports.next()?.ok()?))
}

fn link(message: &LinkMessage) -> Option<Link> {
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    });
    let program = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Xdp(facts) => attached_program(facts),
        _ => None,
    });
    Some(Link {
        name: name?,
        index: message.header.index,
        is_loopback: message.header.flags.contains(LinkFlags::Loopback),
        is_ethernet: message.header.link_layer_type == LinkLayerType::Ether,
        program,
    })
}

fn attached_program(facts: &[LinkXdp]) -> Option<AttachedProgram> {
    let id = facts.iter().find_map(|fact| match fact {
        // The kernel leaves the first one out where there are several.
        LinkXdp::ProgId(id) | LinkXdp::DrvProgId(id) | LinkXdp::SkbProgId(id) => Some(*id),
        _ => None,
    });
    let mode = facts.iter().find_map(|fact| match fact {
        LinkXdp::Attached(XdpAttached::None) => None,
        LinkXdp::Attached(XdpAttached::SocketBuffer) => Some(AttachMode::Generic),
        LinkXdp::Attached(_) => Some(AttachMode::Native),
        _ => None,
    });
    Some(AttachedProgram { id: id?, mode: mode? })
}

/// The broadcast addresses that reach a local address: the one that was
/// configured, and the last one of its network, which the kernel routes as a
/// broadcast address whatever was configured (RFC 919).
fn broadcasts(prefix_length: u8, attributes: &[AddressAttribute]) -> Vec<Alias> {
    let local = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
        _ => None,
    });
    let network = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(IpAddr::V4(address)) => Some(*address),
        _ => None,
    });
    let configured = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Broadcast(broadcast) => Some(*broadcast),
        _ => None,
    });
    let Some(address) = local.or(network) else { return Vec::new() };
    let computed = network
        .and_then(|network| Ipv4Net::new(network, prefix_length).ok())
        .filter(|network| network.prefix_len() < 31)
        .map(|network| network.broadcast())
        .filter(|computed| Some(*computed) != configured);
    let reached = configured.into_iter().chain(computed);
    let alias = |broadcast| Alias { address: IpAddr::V4(address), alias: IpAddr::V4(broadcast) };
    reached.map(alias).collect()
}

/// The address that reaches any router of a subnet, of which each has it beside
/// its own; links between two hosts have none (RFC 6164).
fn anycast(prefix_length: u8, attributes: &[AddressAttribute]) -> Option<Alias> {
    let address = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(IpAddr::V6(address)) => Some(*address),
        _ => None,
    })?;
    let network = Ipv6Net::new(address, prefix_length).ok().filter(|n| n.prefix_len() < 127)?;
    let alias = network.network();
    (alias != address).then_some(Alias { address: address.into(), alias: alias.into() })
}

/// Whether an interface passes IPv6 packets on, as the kernel says.
fn forwards_ipv6(interface: &str) -> bool {
    let path = format!("/proc/sys/net/ipv6/conf/{interface}/forwarding");
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_broadcast_address_needs_not_be_configured() {
        let local = Ipv4Addr::new(192, 0, 2, 10);
        let own = [AddressAttribute::Local(local.into()), AddressAttribute::Address(local.into())];
        let other = AddressAttribute::Broadcast(Ipv4Addr::new(192, 0, 2, 99));
        let found = |length, attributes: &[AddressAttribute]| -> Vec<u8> {
            let found = broadcasts(length, attributes);
            let last = |alias| if let IpAddr::V4(v4) = alias { v4.octets()[3] } else { 0 };
            found.iter().map(|local| last(local.alias)).collect()
        };
        assert_eq!(found(24, &own), [255]);
        assert_eq!(found(28, &own), [15]);
        assert_eq!(found(24, &[own.as_slice(), &[other]].concat()), [99, 255]);
        assert_eq!(found(31, &own), [0; 0]);
        assert_eq!(found(32, &own), [0; 0]);
    }

    #[test]
    fn a_router_has_the_anycast_address_of_its_subnet() {
        let found = |text: &str, length| {
            let address: IpAddr = text.parse().expect(text);
            anycast(length, &[AddressAttribute::Address(address)]).map(|local| local.alias)
        };
        assert_eq!(found("fd99::1", 64), Some("fd99::".parse().expect("an address")));
        assert_eq!(found("fd99::", 64), None, "it is its own");
        assert_eq!(found("fd99::1", 127), None);
        assert_eq!(found("fd99::1", 128), None);
    }
}
