//! Layer 2: Ethernet headers, VLAN tags, ARP, and what is not IP at all.

use std::net::Ipv4Addr;

use super::segment::PROBE;
use super::{ARP, Mac};
use crate::world::{BROADCAST_MAC, HOST_MAC, OUTSIDE_MAC};

/// A VLAN tag: its ethertype and its VID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// 0x8100, 0x88a8, or something older.
    pub ethertype: u16,
    /// The VLAN identifier; 0 is a priority tag.
    pub vid: u16,
}

/// An Ethernet frame around a payload.
pub fn ethernet(destination: Mac, tags: &[Tag], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(14 + 4 * tags.len() + payload.len());
    frame.extend(destination);
    frame.extend(OUTSIDE_MAC);
    for tag in tags {
        frame.extend(tag.ethertype.to_be_bytes());
        frame.extend(tag.vid.to_be_bytes());
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `depth` equal tags.
pub fn tags(ethertype: u16, vid: u16, depth: usize) -> Vec<Tag> {
    vec![Tag { ethertype, vid }; depth]
}

/// An ARP packet (1 asks, 2 answers) of a sender, about a target.
pub fn arp(operation: u16, sender: Ipv4Addr, target: Ipv4Addr, tags: &[Tag]) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4];
    packet.extend(operation.to_be_bytes());
    packet.extend(OUTSIDE_MAC);
    packet.extend(sender.octets());
    packet.extend(if operation == 1 { [0; 6] } else { HOST_MAC });
    packet.extend(target.octets());
    let destination = if operation == 1 { BROADCAST_MAC } else { HOST_MAC };
    ethernet(destination, tags, ARP, &packet)
}

/// An LLDP frame with the three mandatory TLVs.
pub fn lldp() -> Vec<u8> {
    let mut pdu = vec![0x02, 0x07, 0x04];
    pdu.extend(OUTSIDE_MAC);
    pdu.extend([0x04, 0x03, 0x05, b'o', b'0', 0x06, 0x02, 0x00, 0x78, 0x00, 0x00]);
    ethernet([0x01, 0x80, 0xc2, 0, 0, 0x0e], &[], 0x88cc, &pdu)
}

/// A spanning-tree configuration BPDU in an LLC frame (length, no ethertype).
pub fn spanning_tree() -> Vec<u8> {
    let mut pdu = vec![0x42, 0x42, 0x03];
    pdu.extend(PROBE);
    pdu.resize(38, 0);
    let length = u16::try_from(pdu.len()).expect("short");
    ethernet([0x01, 0x80, 0xc2, 0, 0, 0], &[], length, &pdu)
}

/// An EAPOL-Start frame.
pub fn eapol() -> Vec<u8> {
    ethernet([0x01, 0x80, 0xc2, 0, 0, 0x03], &[], 0x888e, &[2, 1, 0, 0])
}

/// IP behind an LLC/SNAP header (RFC 1042).
pub fn snap(ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let mut payload = vec![0xaa, 0xaa, 0x03, 0, 0, 0];
    payload.extend(ethertype.to_be_bytes());
    payload.extend(packet);
    let length = u16::try_from(payload.len()).expect("fits a frame");
    ethernet(HOST_MAC, &[], length, &payload)
}

/// IPv4 in a PPPoE session frame (RFC 2516).
pub fn pppoe_session(packet: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x11, 0x00, 0x00, 0x01];
    let length = u16::try_from(packet.len() + 2).expect("fits a frame");
    payload.extend(length.to_be_bytes());
    payload.extend([0x00, 0x21]);
    payload.extend(packet);
    ethernet(HOST_MAC, &[], 0x8864, &payload)
}

/// IP behind one MPLS label (RFC 3032).
pub fn mpls(packet: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x00, 0x06, 0x41, 0x40];
    payload.extend(packet);
    ethernet(HOST_MAC, &[], 0x8847, &payload)
}
