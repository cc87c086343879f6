//! The Internet checksum (RFC 1071) and the pseudo header.

use std::net::IpAddr;

/// The checksum of a run of bytes, as it goes into a header.
pub fn internet(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to 16 bits")
}

/// The checksum of a segment behind its pseudo header.
pub fn transport(source: IpAddr, destination: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    let mut bytes = Vec::with_capacity(segment.len() + 40);
    let length = u32::try_from(segment.len()).expect("a segment is shorter than 4 GiB");
    bytes.extend(octets(source));
    bytes.extend(octets(destination));
    bytes.extend(length.to_be_bytes());
    bytes.extend(u32::from(protocol).to_be_bytes());
    bytes.extend(segment);
    internet(&bytes)
}

/// The octets of an address, 4 or 16.
pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(super::internet(&bytes), !0xddf2);
    }
}
