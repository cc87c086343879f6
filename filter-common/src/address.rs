//! Addresses as the kernel side compares them.

/// An address or a mask of either family: four words, each as its four bytes
/// stand on the wire. IPv4 lies in the first word, and the others are zero.
pub type Address = [u32; 4];

/// No address, and the mask that covers every one.
pub const ZERO: Address = [0; 4];

/// The address whose bytes on the wire these are; IPv4 in the first four.
#[inline(always)]
pub const fn from_octets(octets: [u8; 16]) -> Address {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = octets;
    [
        u32::from_ne_bytes([a, b, c, d]),
        u32::from_ne_bytes([e, f, g, h]),
        u32::from_ne_bytes([i, j, k, l]),
        u32::from_ne_bytes([m, n, o, p]),
    ]
}

/// The bytes of an address on the wire.
#[inline(always)]
pub const fn octets(address: Address) -> [u8; 16] {
    let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = [
        address[0].to_ne_bytes(),
        address[1].to_ne_bytes(),
        address[2].to_ne_bytes(),
        address[3].to_ne_bytes(),
    ];
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// The bits of an address, the first one the highest.
#[inline(always)]
pub const fn bits(address: Address) -> [u64; 2] {
    let [a, b, c, d] = address;
    [join(u32::from_be(a), u32::from_be(b)), join(u32::from_be(c), u32::from_be(d))]
}

#[inline(always)]
const fn join(high: u32, low: u32) -> u64 {
    (high as u64) << u32::BITS | low as u64
}

/// Whether an address lies in a network.
#[inline(always)]
pub const fn is_inside(address: &Address, network: &Address, mask: &Address) -> bool {
    let mut difference = 0;
    let mut i = 0;
    while i < address.len() {
        difference |= (address[i] & mask[i]) ^ network[i];
        i += 1;
    }
    difference == 0
}
