//! Source addresses that nobody has.

use filter_common::generation::FAMILY_V4;

use crate::bytes::first_octet;
use crate::packet::Packet;

/// Whether the source is an address that no host sends from: RFC 1122 section
/// 3.2.1.3 and RFC 4291 section 2.5. IPv4-mapped and IPv4-compatible sources
/// are among them: Linux delivers UDP from them, and an IPv4 list would not
/// have been asked.
#[inline(always)]
pub(crate) fn is_martian(packet: &Packet) -> bool {
    if packet.family == FAMILY_V4 {
        let first = first_octet(&packet.source);
        return first == 0 || first == 127 || first >= 224;
    }
    let [a, b, c, _] = packet.source;
    let embeds_v4 = (a | b) == 0 && (c == 0 || c == 0x0000_ffff_u32.to_be());
    first_octet(&packet.source) == 0xff || embeds_v4
}

/// Whether the source is the unspecified address.
#[inline(always)]
pub(crate) fn is_unspecified(packet: &Packet) -> bool {
    let [a, b, c, d] = packet.source;
    (a | b | c | d) == 0
}
