//! IPv6 extension headers (RFC 8200), right and wrong.

/// One header of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The number that the header in front names it by.
    pub number: u8,
    /// The header; its first byte is overwritten by the next header's number.
    pub bytes: Vec<u8>,
}

impl Extension {
    /// Hop-by-hop options, padding only.
    pub fn hop_by_hop() -> Self {
        Self::new(0, &[0, 0, 1, 4, 0, 0, 0, 0])
    }

    /// Destination options, padding only.
    pub fn destination_options() -> Self {
        Self::new(60, &[0, 0, 1, 4, 0, 0, 0, 0])
    }

    /// Destination options of `units` times 8 bytes.
    pub fn long_destination_options(units: u8) -> Self {
        let mut bytes = vec![0, units - 1];
        let mut left = 8 * usize::from(units) - 2;
        while left > 0 {
            let option = left.min(257);
            match option {
                1 => bytes.push(0),
                _ => {
                    // Linux takes no padding longer than seven bytes, but
                    // skips what it does not know.
                    bytes.extend([0x1e, u8::try_from(option - 2).expect("at most 255")]);
                    bytes.extend(vec![0; option - 2]);
                }
            }
            left -= option;
        }
        Self { number: 60, bytes }
    }

    /// A routing header of a type, with one address in it.
    pub fn routing(kind: u8, segments_left: u8) -> Self {
        let mut bytes = vec![0, 2, kind, segments_left, 0, 0, 0, 0];
        bytes.extend([0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02]);
        Self { number: 43, bytes }
    }

    /// An authentication header (its length counts 4-byte units, less 2).
    pub fn authentication() -> Self {
        let mut bytes = vec![0, 4, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1];
        bytes.extend([0; 12]);
        Self { number: 51, bytes }
    }

    /// A mobility header (RFC 6275).
    pub fn mobility() -> Self {
        Self::new(135, &[0, 0, 0, 0, 0, 0, 0, 0])
    }

    /// A HIP header (RFC 7401), shortened.
    pub fn host_identity() -> Self {
        Self::new(139, &[0, 0, 0, 0, 0, 0, 0, 0])
    }

    /// A shim6 header (RFC 5533).
    pub fn shim6() -> Self {
        Self::new(140, &[0, 0, 0, 0, 0, 0, 0, 0])
    }

    /// A fragment header; the offset counts bytes.
    pub fn fragment(offset_bytes: u16, more: bool, id: u32) -> Self {
        let mut bytes = vec![0, 0];
        bytes.extend(((offset_bytes & !7) | u16::from(more)).to_be_bytes());
        bytes.extend(id.to_be_bytes());
        Self { number: 44, bytes }
    }

    /// Hop-by-hop options that hold a jumbo payload length (RFC 2675).
    pub fn jumbo(length: u32) -> Self {
        let mut bytes = vec![0, 0, 0xc2, 4];
        bytes.extend(length.to_be_bytes());
        Self { number: 0, bytes }
    }

    /// The same header with another length byte.
    pub fn with_length_byte(mut self, length: u8) -> Self {
        self.bytes[1] = length;
        self
    }

    fn new(number: u8, bytes: &[u8]) -> Self {
        Self { number, bytes: bytes.to_vec() }
    }
}
