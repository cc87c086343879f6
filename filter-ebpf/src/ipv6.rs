//! The IPv6 header.

use aya_ebpf::programs::XdpContext;
use filter_common::generation::FAMILY_V6;
use filter_common::reason::Reason;
use network_types::ip::Ipv6Hdr;

use crate::bytes::read;
use crate::extension;
use crate::packet::Packet;

/// Reads the header at `packet.offset` and the extension headers behind it.
#[inline(always)]
pub(crate) fn parse(ctx: &XdpContext, packet: &mut Packet) -> Result<(), Reason> {
    let header: Ipv6Hdr = read(ctx, packet.offset).ok_or(Reason::Malformed)?;
    packet.family = FAMILY_V6;
    packet.source = header.src_addr;
    packet.destination = header.dst_addr;
    packet.to_group = header.dst_addr[0] == 0xff;
    packet.hop_limit = header.hop_limit;
    let payload_bytes = u32::from(u16::from_be_bytes(header.payload_len));
    packet.offset += size_of::<Ipv6Hdr>() as u32;
    if header.vcf[0] >> 4 != 6 || payload_bytes > packet.left() {
        return Err(Reason::Malformed);
    }
    if payload_bytes == 0 && header.next_hdr == extension::HOP_BY_HOP {
        return Err(Reason::Jumbogram);
    }
    packet.end = packet.offset + payload_bytes;
    extension::follow(ctx, packet, header.next_hdr)
}
