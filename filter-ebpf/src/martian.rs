//! Source addresses that nobody has.

use filter_common::generation::FAMILY_V4;

use crate::packet::Packet;

/// Whether the source is an address that no host sends from: RFC 1122 section
/// 3.2.1.3 and RFC 4291 section 2.5. IPv4-mapped and IPv4-compatible sources
/// are among them: Linux delivers UDP from them, and an IPv4 list would not
/// have been asked.
#[inline(always)]
pub(crate) fn is_martian(packet: &Packet) -> bool {
    if packet.family == FAMILY_V4 {
        let first = packet.source[0];
        return first == 0 || first == 127 || first >= 224;
    }
    let high = &packet.source;
    let zeros = high[..10].iter().all(|byte| *byte == 0);
    let embedded = (high[10] == 0 && high[11] == 0) || (high[10] == 0xff && high[11] == 0xff);
    high[0] == 0xff || (zeros && embedded)
}

/// Whether the source is the unspecified address.
#[inline(always)]
pub(crate) fn is_unspecified(packet: &Packet) -> bool {
    packet.source.iter().all(|byte| *byte == 0)
}
