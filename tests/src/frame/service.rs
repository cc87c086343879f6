//! Datagrams of services that the packet table names.

use super::segment::{PROBE, Segment, protocol};

/// A DHCPv4 answer (BOOTREPLY with the magic cookie), to a client's port.
pub fn dhcp4_answer(source_port: u16, destination_port: u16) -> Segment {
    let mut bytes = vec![2, 1, 6, 0, 0, 0, 0, 7];
    bytes.resize(236, 0);
    bytes.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 5, 255]);
    Segment::udp(source_port, destination_port, &bytes)
}

/// A DHCPv6 advertisement, to a client's port.
pub fn dhcp6_answer(source_port: u16, destination_port: u16) -> Segment {
    Segment::udp(source_port, destination_port, &[&[2, 0, 0, 7], &PROBE[..]].concat())
}

/// A GRE packet (RFC 2784) around something.
pub fn gre(ethertype: u16, inner: &[u8]) -> Segment {
    let mut bytes = vec![0, 0];
    bytes.extend(ethertype.to_be_bytes());
    bytes.extend(inner);
    Segment::raw(protocol::GRE, &bytes)
}

/// An ESP packet: SPI, sequence number, opaque bytes.
pub fn esp() -> Segment {
    let mut bytes = vec![0, 0, 0x10, 0x01, 0, 0, 0, 1];
    bytes.extend(PROBE);
    Segment::raw(protocol::ESP, &bytes)
}

/// An OSPF hello with an empty body.
pub fn ospf() -> Segment {
    let mut bytes = vec![2, 1, 0, 44];
    bytes.resize(44, 0);
    Segment::raw(protocol::OSPF, &bytes)
}
