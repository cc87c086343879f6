//! What a host needs to stay alive, and passes before any list.

use filter_common::generation::{FAMILY_V4, FLAG_DHCP};
use filter_common::reason::Reason;

use crate::bytes::first_octet;
use crate::martian::{is_martian, is_unspecified};
use crate::packet::{Fragment, Packet, Ports};
use crate::transport::{DHCPV4_CLIENT, DHCPV6_CLIENT, ICMPV6, IGMP, UDP};

const DHCPV4_SERVER: u16 = 67;
const DHCPV6_SERVER: u16 = 547;

/// The reason to pass a packet that the host could not live without.
#[inline(always)]
pub(crate) fn exemption(flags: u32, packet: &Packet) -> Option<Reason> {
    if packet.fragment != Fragment::Whole || (is_martian(packet) && !is_unspecified(packet)) {
        return None;
    }
    match packet.protocol {
        ICMPV6 if packet.family != FAMILY_V4 => icmpv6(packet),
        IGMP if packet.family == FAMILY_V4 => igmp(packet),
        UDP if flags & FLAG_DHCP != 0 => dhcp(packet),
        _ => None,
    }
}

/// Neighbour discovery (RFC 4861 section 6 and 7), of which only solicitations
/// come from a host that has no address yet, and multicast listener discovery
/// (RFC 2710 section 3, RFC 3810 section 5).
#[inline(always)]
fn icmpv6(packet: &Packet) -> Option<Reason> {
    match (packet.icmp_type, packet.icmp_code, packet.hop_limit) {
        (133 | 135, 0, 255) => Some(Reason::NeighborDiscovery),
        (134 | 136 | 137, 0, 255) if !is_unspecified(packet) => Some(Reason::NeighborDiscovery),
        (130 | 131 | 132 | 143, 0, 1) if is_link_local(packet) || is_unspecified(packet) => {
            Some(Reason::Mld)
        }
        _ => None,
    }
}

#[inline(always)]
fn is_link_local(packet: &Packet) -> bool {
    packet.source[0] & 0xffc0_0000_u32.to_be() == 0xfe80_0000_u32.to_be()
}

/// IGMP is sent with a TTL of 1 to a multicast address (RFC 3376 section 4).
#[inline(always)]
fn igmp(packet: &Packet) -> Option<Reason> {
    (packet.hop_limit == 1 && first_octet(&packet.destination) & 0xf0 == 0xe0)
        .then_some(Reason::Igmp)
}

#[inline(always)]
fn dhcp(packet: &Packet) -> Option<Reason> {
    let (client, server) = if packet.family == FAMILY_V4 {
        (DHCPV4_CLIENT, DHCPV4_SERVER)
    } else {
        if is_unspecified(packet) {
            return None;
        }
        (DHCPV6_CLIENT, DHCPV6_SERVER)
    };
    let fits = packet.ports == Ports::Known
        && packet.destination_port == client
        && packet.source_port == server;
    fits.then_some(Reason::Dhcp)
}
