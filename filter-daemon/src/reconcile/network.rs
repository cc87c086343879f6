//! The host's links and addresses, as netlink tells them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink attributes are an open set: what is not asked for is passed over"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures_util::stream::TryStreamExt as _;
use futures_util::{Stream, StreamExt as _};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressAttribute;
use netlink_packet_route::link::{
    LinkAttribute, LinkFlags, LinkLayerType, LinkMessage, LinkXdp, XdpAttached,
};
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection};

use crate::datapath::AttachMode;
use crate::policy::Broadcast;

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
    pub(super) broadcasts: Vec<Broadcast>,
}

/// A way to ask, and the news that it may be worth asking.
pub(super) struct Monitor {
    handle: Handle,
    news: Box<dyn Stream<Item = ()> + Send + Sync + Unpin>,
}

impl Monitor {
    pub(super) fn start() -> std::io::Result<Self> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr];
        let (connection, handle, messages) = new_multicast_connection(&groups)?;
        tokio::spawn(connection);
        Ok(Self { handle, news: Box::new(messages.map(drop)) })
    }

    /// Waits for news. Answers false when there will be none: the connection
    /// broke, for instance because messages came faster than they were read.
    pub(super) async fn changed(&mut self) -> bool {
        self.news.next().await.is_some()
    }

    /// Reads all links and addresses.
    pub(super) async fn read(&self) -> Result<Network, rtnetlink::Error> {
        let mut network = Network::default();
        let mut links = self.handle.link().get().execute();
        while let Some(message) = links.try_next().await? {
            network.links.extend(link(&message).map(|link| (link.index, link)));
        }
        let mut addresses = self.handle.address().get().execute();
        while let Some(message) = addresses.try_next().await? {
            if message.header.family == AddressFamily::Inet {
                network.broadcasts.extend(broadcast(&message.attributes));
            }
        }
        network.broadcasts.sort_by_key(|local| (local.address, local.broadcast));
        Ok(network)
    }
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
        LinkXdp::ProgId(id) => Some(*id),
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

fn broadcast(attributes: &[AddressAttribute]) -> Option<Broadcast> {
    let address = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
        _ => None,
    });
    let broadcast = attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Broadcast(broadcast) => Some(*broadcast),
        _ => None,
    });
    Some(Broadcast { address: address?, broadcast: broadcast? })
}
