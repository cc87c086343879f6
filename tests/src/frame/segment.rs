//! Layer 4: what an IP packet carries.

use std::net::IpAddr;

use super::checksum;

/// Protocol numbers (IANA).
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IGMP.
    pub const IGMP: u8 = 2;
    /// IPv4 in IP.
    pub const IPIP: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// DCCP.
    pub const DCCP: u8 = 33;
    /// GRE.
    pub const GRE: u8 = 47;
    /// ESP.
    pub const ESP: u8 = 50;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// OSPF.
    pub const OSPF: u8 = 89;
    /// SCTP.
    pub const SCTP: u8 = 132;
    /// UDP-Lite.
    pub const UDP_LITE: u8 = 136;
    /// Kept for experiments (RFC 3692): nobody's.
    pub const UNKNOWN: u8 = 253;
}

/// TCP flag bits.
pub mod flags {
    /// FIN.
    pub const FIN: u8 = 0x01;
    /// SYN.
    pub const SYN: u8 = 0x02;
    /// RST.
    pub const RST: u8 = 0x04;
    /// PSH.
    pub const PSH: u8 = 0x08;
    /// ACK.
    pub const ACK: u8 = 0x10;
}

/// What every probe carries, so that a receiver knows it.
pub const PROBE: &[u8; 16] = b"filterd probe 16";

/// A transport packet before its checksum is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The protocol number.
    pub protocol: u8,
    /// Header and payload.
    pub bytes: Vec<u8>,
    /// Where a 16-bit checksum over the pseudo header belongs.
    checksum_at: Option<usize>,
}

impl Segment {
    /// A UDP datagram.
    pub fn udp(source_port: u16, destination_port: u16, payload: &[u8]) -> Self {
        Self::udp_like(protocol::UDP, source_port, destination_port, payload)
    }

    /// A UDP-Lite datagram whose checksum covers all of it (RFC 3828).
    pub fn udp_lite(source_port: u16, destination_port: u16, payload: &[u8]) -> Self {
        Self::udp_like(protocol::UDP_LITE, source_port, destination_port, payload)
    }

    fn udp_like(protocol: u8, source_port: u16, destination_port: u16, payload: &[u8]) -> Self {
        let length = u16::try_from(8 + payload.len()).unwrap_or(0);
        let mut bytes = ports(source_port, destination_port);
        bytes.extend(length.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(payload);
        Self { protocol, bytes, checksum_at: Some(6) }
    }

    /// A TCP segment.
    pub fn tcp(source_port: u16, destination_port: u16, flags: u8, payload: &[u8]) -> Self {
        Self::tcp_at(source_port, destination_port, flags, 1000, 0, payload)
    }

    /// A TCP segment with its sequence and acknowledgement numbers.
    pub fn tcp_at(
        source_port: u16,
        destination_port: u16,
        flags: u8,
        sequence: u32,
        acknowledgement: u32,
        payload: &[u8],
    ) -> Self {
        let mut bytes = ports(source_port, destination_port);
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(acknowledgement.to_be_bytes());
        bytes.extend([0x50, flags, 0x40, 0x00, 0, 0, 0, 0]);
        bytes.extend(payload);
        Self { protocol: protocol::TCP, bytes, checksum_at: Some(16) }
    }

    /// An SCTP packet with a cookie-ack chunk; its CRC is left zero.
    pub fn sctp(source_port: u16, destination_port: u16) -> Self {
        let mut bytes = ports(source_port, destination_port);
        bytes.extend([0; 8]);
        bytes.extend([11, 0, 0, 4]);
        Self { protocol: protocol::SCTP, bytes, checksum_at: None }
    }

    /// A DCCP request (RFC 4340) with the ports in front.
    pub fn dccp(source_port: u16, destination_port: u16) -> Self {
        let mut bytes = ports(source_port, destination_port);
        bytes.extend([5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        Self { protocol: protocol::DCCP, bytes, checksum_at: Some(6) }
    }

    /// Bytes of a protocol whose checksum nobody looks at here.
    pub fn raw(protocol: u8, bytes: &[u8]) -> Self {
        Self { protocol, bytes: bytes.to_vec(), checksum_at: None }
    }

    /// Bytes of a protocol with a checksum over the pseudo header.
    pub fn with_checksum(protocol: u8, bytes: Vec<u8>, at: usize) -> Self {
        Self { protocol, bytes, checksum_at: Some(at) }
    }

    /// Only the first bytes of it, as they stand.
    pub fn cut(mut self, length: usize) -> Self {
        self.bytes.truncate(length);
        self
    }

    /// The bytes with the checksum filled in.
    pub fn finish(&self, source: IpAddr, destination: IpAddr) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(at) = self.checksum_at
            && bytes.len() >= at + 2
        {
            let sum = checksum::transport(source, destination, self.protocol, &bytes);
            let sum = if sum == 0 { 0xffff } else { sum };
            bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
        bytes
    }
}

fn ports(source: u16, destination: u16) -> Vec<u8> {
    [source.to_be_bytes(), destination.to_be_bytes()].concat()
}
