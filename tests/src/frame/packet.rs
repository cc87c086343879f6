//! IP packets of either family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::extension::Extension;
use super::link::{self, Tag};
use super::segment::Segment;
use super::{IPV4, IPV6, Mac, checksum};
use crate::world::{BROADCAST_MAC, HOST_MAC};

/// An IP packet in the making. Both addresses are of one family.
#[derive(Clone, Debug)]
pub struct Packet {
    source: IpAddr,
    destination: IpAddr,
    hop_limit: u8,
    segment: Segment,
    options: Vec<u8>,
    extensions: Vec<Extension>,
    fragment: Option<Fragment>,
    ihl: Option<u8>,
    version: Option<u8>,
    length: Option<u16>,
    padding: usize,
    cut: Option<usize>,
    tags: Vec<Tag>,
    mac: Option<Mac>,
    ethertype: Option<u16>,
}

#[derive(Clone, Debug)]
struct Fragment {
    bytes: Range<usize>,
    more: bool,
    id: u32,
}

impl Packet {
    /// A packet between two addresses of one family.
    pub fn new(source: IpAddr, destination: IpAddr, segment: Segment) -> Self {
        assert_eq!(source.is_ipv4(), destination.is_ipv4(), "one family a packet");
        Self {
            source,
            destination,
            hop_limit: 64,
            segment,
            options: Vec::new(),
            extensions: Vec::new(),
            fragment: None,
            ihl: None,
            version: None,
            length: None,
            padding: 0,
            cut: None,
            tags: Vec::new(),
            mac: None,
            ethertype: None,
        }
    }

    /// With a hop limit or TTL.
    pub fn hop_limit(mut self, hop_limit: u8) -> Self {
        self.hop_limit = hop_limit;
        self
    }

    /// With IPv4 options; padded to a multiple of four with "end of list".
    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self.options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// With IPv6 extension headers, in this order.
    pub fn extensions(mut self, extensions: impl IntoIterator<Item = Extension>) -> Self {
        self.extensions = extensions.into_iter().collect();
        self
    }

    /// Only these bytes of the transport packet, as a fragment.
    pub fn fragment(mut self, bytes: Range<usize>, more: bool) -> Self {
        self.fragment = Some(Fragment { bytes, more, id: 0x5eed });
        self
    }

    /// With another identification of the datagram that it is a fragment of.
    pub fn fragment_id(mut self, id: u16) -> Self {
        if let Some(fragment) = &mut self.fragment {
            fragment.id = id.into();
        }
        self
    }

    /// With another number in the header length field (IPv4).
    pub fn ihl(mut self, ihl: u8) -> Self {
        self.ihl = Some(ihl);
        self
    }

    /// With another number in the version field.
    pub fn version(mut self, version: u8) -> Self {
        self.version = Some(version);
        self
    }

    /// With another number in the total length (IPv4) or payload length field.
    pub fn length(mut self, length: u16) -> Self {
        self.length = Some(length);
        self
    }

    /// With zero bytes behind the packet, as short frames have them.
    pub fn padding(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    /// The frame ends after so many bytes.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// Behind VLAN tags.
    pub fn tagged(mut self, tags: Vec<Tag>) -> Self {
        self.tags = tags;
        self
    }

    /// To another station.
    pub fn to_mac(mut self, mac: Mac) -> Self {
        self.mac = Some(mac);
        self
    }

    /// Under another ethertype.
    pub fn ethertype(mut self, ethertype: u16) -> Self {
        self.ethertype = Some(ethertype);
        self
    }

    /// Splits the packet into fragments of so many bytes of the transport
    /// packet each (a multiple of eight).
    pub fn into_fragments(self, bytes_each: usize) -> Vec<Self> {
        let length = self.segment.bytes.len();
        (0..length)
            .step_by(bytes_each)
            .map(|start| {
                let end = length.min(start + bytes_each);
                self.clone().fragment(start..end, end < length)
            })
            .collect()
    }

    /// The IP packet.
    pub fn ip(&self) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.ipv4(source, destination),
            (IpAddr::V6(source), IpAddr::V6(destination)) => self.ipv6(source, destination),
            _ => unreachable!("checked when the packet was made"),
        }
    }

    /// The frame.
    pub fn frame(&self) -> Vec<u8> {
        let family = if self.source.is_ipv4() { IPV4 } else { IPV6 };
        let mut payload = self.ip();
        payload.resize(payload.len() + self.padding, 0);
        let mac = self.mac.unwrap_or_else(|| mac_of(self.destination));
        let ethertype = self.ethertype.unwrap_or(family);
        let mut frame = link::ethernet(mac, &self.tags, ethertype, &payload);
        frame.truncate(self.cut.unwrap_or(frame.len()));
        frame
    }

    fn carried(&self) -> Vec<u8> {
        let whole = self.segment.finish(self.source, self.destination);
        match &self.fragment {
            None => whole,
            Some(fragment) => whole[fragment.bytes.clone()].to_vec(),
        }
    }

    fn ipv4(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
        let carried = self.carried();
        let header_bytes = 20 + self.options.len();
        let ihl = u8::try_from(header_bytes / 4).expect("at most 40 bytes of options");
        let total = u16::try_from(header_bytes + carried.len()).unwrap_or(u16::MAX);
        let (id, place) = match &self.fragment {
            None => (1, 0x4000),
            Some(f) => (f.id, offset_units(f) | u16::from(f.more) << 13),
        };
        let mut bytes = vec![self.version.unwrap_or(4) << 4 | self.ihl.unwrap_or(ihl) & 15, 0];
        bytes.extend(self.length.unwrap_or(total).to_be_bytes());
        bytes.extend(u16::try_from(id).expect("ids are short").to_be_bytes());
        bytes.extend(place.to_be_bytes());
        bytes.extend([self.hop_limit, self.segment.protocol, 0, 0]);
        bytes.extend(source.octets());
        bytes.extend(destination.octets());
        bytes.extend(&self.options);
        bytes.extend(carried);
        let covered = match self.ihl {
            Some(ihl) if ihl >= 5 => (usize::from(ihl) * 4).min(bytes.len()),
            _ => header_bytes,
        };
        let sum = checksum::internet(&bytes[..covered]);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    fn ipv6(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let fragment =
            self.fragment.as_ref().map(|f| Extension::fragment(offset_units(f) << 3, f.more, f.id));
        let chain: Vec<Extension> = self.extensions.iter().cloned().chain(fragment).collect();
        let mut payload = Vec::new();
        for (position, header) in chain.iter().enumerate() {
            let next = chain.get(position + 1).map_or(self.segment.protocol, |next| next.number);
            let start = payload.len();
            payload.extend(&header.bytes);
            payload[start] = next;
        }
        payload.extend(self.carried());
        let length = u16::try_from(payload.len()).unwrap_or(0);
        let first = chain.first().map_or(self.segment.protocol, |first| first.number);
        let mut bytes = vec![self.version.unwrap_or(6) << 4, 0, 0, 0];
        bytes.extend(self.length.unwrap_or(length).to_be_bytes());
        bytes.extend([first, self.hop_limit]);
        bytes.extend(source.octets());
        bytes.extend(destination.octets());
        bytes.extend(payload);
        bytes
    }
}

fn offset_units(fragment: &Fragment) -> u16 {
    assert_eq!(fragment.bytes.start % 8, 0, "fragments start at multiples of eight");
    u16::try_from(fragment.bytes.start / 8).expect("within a packet")
}

/// The station that a destination address belongs to.
fn mac_of(destination: IpAddr) -> Mac {
    match destination {
        IpAddr::V4(v4) if v4.is_multicast() => {
            let [_, b, c, d] = v4.octets();
            [0x01, 0x00, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V4(v4) if v4.octets()[3] == 255 => BROADCAST_MAC,
        IpAddr::V6(v6) if v6.is_multicast() => {
            let octets = v6.octets();
            [0x33, 0x33, octets[12], octets[13], octets[14], octets[15]]
        }
        IpAddr::V4(_) | IpAddr::V6(_) => HOST_MAC,
    }
}
