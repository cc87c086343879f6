//! ICMP and ICMPv6: echo, errors with what they quote, neighbour and router
//! discovery, multicast listener discovery, IGMP.

use std::net::Ipv6Addr;

use super::checksum;
use super::segment::{Segment, protocol};

/// An echo request of a family.
pub fn echo_request(v6: bool, payload: &[u8]) -> Segment {
    let kind = if v6 { 128 } else { 8 };
    message(v6, kind, 0, [0x12, 0x34, 0, 1], payload)
}

/// An error message that quotes the beginning of a packet.
pub fn error(v6: bool, kind: u8, code: u8, quoted: &[u8]) -> Segment {
    message(v6, kind, code, [0, 0, 0x05, 0x00], quoted)
}

/// Any message: type, code, the second word, and what follows.
pub fn message(v6: bool, kind: u8, code: u8, word: [u8; 4], body: &[u8]) -> Segment {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(word);
    bytes.extend(body);
    if v6 {
        return Segment::with_checksum(protocol::ICMPV6, bytes, 2);
    }
    let sum = checksum::internet(&bytes);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    Segment::raw(protocol::ICMP, &bytes)
}

/// A message of neighbour or router discovery (133 to 137) about a target.
pub fn discovery(kind: u8, code: u8, target: Ipv6Addr) -> Segment {
    let body = match kind {
        133 => Vec::new(),
        134 => vec![0; 8],
        137 => [target.octets(), target.octets()].concat(),
        _ => target.octets().to_vec(),
    };
    message(true, kind, code, [0; 4], &body)
}

/// A message of multicast listener discovery about a group: 130 to 132 of
/// RFC 2710, 143 of RFC 3810.
pub fn listener_discovery(kind: u8, group: Ipv6Addr) -> Segment {
    if kind == 143 {
        let mut record = vec![4, 0, 0, 0];
        record.extend(group.octets());
        return message(true, kind, 0, [0, 0, 0, 1], &record);
    }
    message(true, kind, 0, [0; 4], &group.octets())
}

/// An IGMPv2 message (RFC 2236) about a group.
pub fn igmp(kind: u8, group: [u8; 4]) -> Segment {
    let mut bytes = vec![kind, 0, 0, 0];
    bytes.extend(group);
    let sum = checksum::internet(&bytes);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    Segment::raw(protocol::IGMP, &bytes)
}
