//! The IPv4 header.

use aya_ebpf::programs::XdpContext;
use filter_common::generation::FAMILY_V4;
use filter_common::reason::Reason;
use network_types::ip::Ipv4Hdr;

use crate::bytes::read;
use crate::packet::{Fragment, Packet};

const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Reads the header at `packet.offset` and moves on to what it carries.
#[inline(always)]
pub(crate) fn parse(ctx: &XdpContext, packet: &mut Packet) -> Result<(), Reason> {
    let header: Ipv4Hdr = read(ctx, packet.offset).ok_or(Reason::Malformed)?;
    packet.family = FAMILY_V4;
    packet.source[..4].copy_from_slice(&header.src_addr);
    packet.destination[..4].copy_from_slice(&header.dst_addr);
    packet.to_group = is_group(header.dst_addr);
    packet.hop_limit = header.ttl;
    let header_bytes = u32::from(header.vihl & 0x0f) * 4;
    let total_bytes = u32::from(u16::from_be_bytes(header.tot_len));
    let misfit = header.vihl >> 4 != 4
        || header_bytes < size_of::<Ipv4Hdr>() as u32
        || total_bytes < header_bytes
        || total_bytes > packet.left();
    if misfit {
        return Err(Reason::Malformed);
    }
    packet.end = packet.offset + total_bytes;
    packet.offset += header_bytes;
    packet.protocol = header.proto;
    let fragment = u16::from_be_bytes(header.frags);
    packet.fragment = match (fragment & FRAGMENT_OFFSET, fragment & MORE_FRAGMENTS) {
        (0, 0) => Fragment::Whole,
        (0, _) => Fragment::First,
        _ => Fragment::Later,
    };
    Ok(())
}

/// Multicast, or the limited broadcast address.
#[inline(always)]
fn is_group(address: [u8; 4]) -> bool {
    address[0] & 0xf0 == 0xe0 || u32::from_ne_bytes(address) == u32::MAX
}
