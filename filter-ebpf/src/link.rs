//! Ethernet: finds the IP header behind up to four VLAN tags.

use aya_ebpf::programs::XdpContext;
use filter_common::generation::FLAG_NON_IP_DROP;
use filter_common::reason::Reason;
use network_types::eth::EthHdr;

use crate::bytes::{load, read};
use crate::packet::Packet;

pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_VLAN: u16 = 0x8100;
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_QINQ: u16 = 0x88a8;

/// Linux strips any number of priority tags (VID 0) without a VLAN device, so
/// a frame with more tags than this is never passed unread.
const MAX_VLAN_TAGS: u32 = 4;

const VLAN_TAG_BYTES: u32 = 4;

/// What a frame carries.
pub(crate) enum Payload {
    Ipv4,
    Ipv6,
    /// Something that is judged without a look at IP.
    Other(Reason),
}

/// Follows the frame to its payload and leaves `packet.offset` there.
#[inline(always)]
pub(crate) fn payload(ctx: &XdpContext, flags: u32, packet: &mut Packet) -> Payload {
    let Some(ethernet) = read::<EthHdr>(ctx, 0) else {
        return Payload::Other(Reason::Malformed);
    };
    let mut ethertype = u16::from_be(ethernet.ether_type);
    packet.offset = size_of::<EthHdr>() as u32;
    for _ in 0..MAX_VLAN_TAGS {
        if ethertype != ETHERTYPE_VLAN && ethertype != ETHERTYPE_QINQ {
            break;
        }
        let Some(tag) = load::<[u8; 4]>(ctx, packet.offset) else {
            return Payload::Other(Reason::Malformed);
        };
        ethertype = u16::from_be_bytes([tag[2], tag[3]]);
        packet.offset += VLAN_TAG_BYTES;
        packet.vlan_tags += 1;
    }
    match ethertype {
        ETHERTYPE_IPV4 => Payload::Ipv4,
        ETHERTYPE_IPV6 => Payload::Ipv6,
        ETHERTYPE_ARP => Payload::Other(Reason::Arp),
        ETHERTYPE_VLAN | ETHERTYPE_QINQ => Payload::Other(Reason::VlanDepth),
        _ if flags & FLAG_NON_IP_DROP != 0 => Payload::Other(Reason::NonIpRefused),
        _ => Payload::Other(Reason::NonIp),
    }
}
