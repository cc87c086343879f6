//! The IPv6 header.

use aya_ebpf::programs::XdpContext;
use filter_common::generation::FAMILY_V6;
use filter_common::reason::Reason;
use network_types::ip::Ipv6Hdr;

use crate::bytes::{first_octet, read, word};
use crate::extension;
use crate::packet::Packet;

/// Reads the header at `packet.offset` and the extension headers behind it.
#[inline(always)]
pub(crate) fn parse(ctx: &XdpContext, packet: &mut Packet) -> Result<(), Reason> {
    let header: [u16; Ipv6Hdr::LEN / 2] = read(ctx, packet.offset).ok_or(Reason::Malformed)?;
    let [first, _, payload, next_and_limit, addresses @ ..] = header;
    let [s0, s1, s2, s3, s4, s5, s6, s7, d0, d1, d2, d3, d4, d5, d6, d7] = addresses;
    packet.family = FAMILY_V6;
    packet.source = [word(s0, s1), word(s2, s3), word(s4, s5), word(s6, s7)];
    packet.destination = [word(d0, d1), word(d2, d3), word(d4, d5), word(d6, d7)];
    packet.to_group = first_octet(&packet.destination) == 0xff;
    let [next, hop_limit] = next_and_limit.to_ne_bytes();
    packet.hop_limit = hop_limit;
    let payload_bytes = u32::from(u16::from_be(payload));
    packet.offset += Ipv6Hdr::LEN as u32;
    if first.to_ne_bytes()[0] >> 4 != 6 || payload_bytes > packet.left() {
        return Err(Reason::Malformed);
    }
    if payload_bytes == 0 && next == extension::HOP_BY_HOP {
        return Err(Reason::Jumbogram);
    }
    packet.end = packet.offset + payload_bytes;
    extension::follow(ctx, packet, next)
}
