//! Builds Ethernet frames, right ones and wrong ones.
//!
//! Owns the bytes of every packet that the tests send. Lengths and checksums
//! are right unless the builder was told otherwise. Shares no code with the
//! program under test, and never does IO.

pub mod checksum;
pub mod extension;
pub mod icmp;
pub mod link;
pub mod packet;
pub mod segment;
pub mod service;

pub use extension::Extension;
pub use packet::Packet;
pub use segment::Segment;

/// A MAC address.
pub type Mac = [u8; 6];

/// Ethertype of IPv4.
pub const IPV4: u16 = 0x0800;
/// Ethertype of IPv6.
pub const IPV6: u16 = 0x86dd;
/// Ethertype of ARP.
pub const ARP: u16 = 0x0806;
/// Ethertype of a customer VLAN tag.
pub const VLAN: u16 = 0x8100;
/// Ethertype of a service VLAN tag.
pub const SERVICE_VLAN: u16 = 0x88a8;

/// Bytes of an untagged Ethernet header.
pub const ETHERNET_BYTES: usize = 14;
