//! The IPv4 header.

use aya_ebpf::programs::XdpContext;
use filter_common::address::Address;
use filter_common::generation::FAMILY_V4;
use filter_common::reason::Reason;
use network_types::ip::Ipv4Hdr;

use crate::bytes::{first_octet, read, word};
use crate::packet::{Fragment, Packet};

const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Reads the header at `packet.offset` and moves on to what it carries.
#[inline(always)]
pub(crate) fn parse(ctx: &XdpContext, packet: &mut Packet) -> Result<(), Reason> {
    let header: [u16; Ipv4Hdr::LEN / 2] = read(ctx, packet.offset).ok_or(Reason::Malformed)?;
    let [first, total, _, fragment, ttl_and_protocol, _, a, b, c, d] = header;
    packet.family = FAMILY_V4;
    packet.source[0] = word(a, b);
    packet.destination[0] = word(c, d);
    packet.to_group = is_group(&packet.destination);
    let [version_and_length, _] = first.to_ne_bytes();
    let [ttl, protocol] = ttl_and_protocol.to_ne_bytes();
    packet.hop_limit = ttl;
    let header_bytes = u32::from(version_and_length & 0x0f) * 4;
    let total_bytes = u32::from(u16::from_be(total));
    let misfit = version_and_length >> 4 != 4
        || header_bytes < Ipv4Hdr::LEN as u32
        || total_bytes < header_bytes
        || total_bytes > packet.left();
    if misfit {
        return Err(Reason::Malformed);
    }
    packet.end = packet.offset + total_bytes;
    packet.offset += header_bytes;
    packet.protocol = protocol;
    let fragment = u16::from_be(fragment);
    packet.fragment = match (fragment & FRAGMENT_OFFSET, fragment & MORE_FRAGMENTS) {
        (0, 0) => Fragment::Whole,
        (0, _) => Fragment::First,
        _ => Fragment::Later,
    };
    Ok(())
}

/// Multicast, or the limited broadcast address.
#[inline(always)]
fn is_group(address: &Address) -> bool {
    first_octet(address) & 0xf0 == 0xe0 || address[0] == u32::MAX
}
