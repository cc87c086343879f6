//! A sieve in front of a table: it holds back nearly every address that no
//! prefix covers, in few memory reads, and never one that some prefix covers.
//!
//! It has two meshes, each a Bloom filter (Bloom, CACM 1970) with the bits of a
//! key in one word (Putze, Sanders and Singler, JEA 2009). The *coarse* one
//! has keys of one length and fits a CPU's own cache: of scattered addresses,
//! most end there after one read. The *fine* one, for what passes, has keys of
//! at most [`MAX_DEPTHS`] lengths and so knows longer prefixes.
//!
//! Invariants: bits are only ever set, until the whole table is replaced; a
//! zeroed mesh holds nothing back.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a few bits of an address or a hash, cut out before they are cast"
)]

use crate::pod;

/// How many lengths the keys of a fine mesh have at most; each costs a memory
/// read.
pub const MAX_DEPTHS: usize = 3;

/// The form of a coarse mesh. Its keys are the first bits of addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Coarse {
    /// Which bits of the upper half of an address make a key.
    pub mask: u64,
    /// Spreads the keys; 1 keeps their order, for keys that need no spreading
    /// as each has a bit of its own.
    pub multiplier: u64,
    /// Where the bits that choose a bit of the mesh begin in a hash, counted
    /// from its lowest: 64 less their number. With 0 the mesh holds nothing
    /// back.
    pub shift: u32,
    /// Always zero.
    pub reserved: [u32; 11],
}

/// The form of a fine mesh.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fine {
    /// Which address bits make a key, by depth; `[0; 2]` is no depth.
    pub masks: [[u64; 2]; MAX_DEPTHS],
    /// What makes the hashes of this mesh unlike those of others.
    pub seed: u64,
    /// How many words of 64 bits it has; with 0 it holds nothing back.
    pub words: u32,
    /// Where they begin among the words of the front, behind those of the
    /// coarse mesh; 0 where they do not fit there and lie in pieces.
    pub first: u32,
}

/// Bits of one word of a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The word, counted from the mesh's first.
    pub word: u32,
    /// The bits.
    pub bits: u64,
}

impl Coarse {
    /// Whether the mesh holds an address back, given a way to find out whether
    /// it has a mark. `shift` is given, as it may change at any time where user
    /// space and the kernel share the form. `high` is the upper half of the
    /// address as in [`crate::poptrie`].
    #[inline(always)]
    pub fn holds_back(&self, shift: u32, high: u64, has: impl FnOnce(Mark) -> bool) -> bool {
        shift != 0 && !has(self.mark(shift, high))
    }

    /// The mark of an address.
    #[inline(always)]
    pub const fn mark(&self, shift: u32, high: u64) -> Mark {
        let hash = (high & self.mask).wrapping_mul(self.multiplier);
        let place = hash.wrapping_shr(shift);
        let (word, bit) = ((place >> 6) as u32, 1 << (place & 63));
        if self.multiplier == 1 {
            return Mark { word, bits: bit };
        }
        // The low bits of a product of a short key are all zero.
        let mixed = (hash ^ hash >> 32).wrapping_mul(GOLDEN);
        Mark { word, bits: bit | 1 << (mixed >> 58) }
    }
}

impl Fine {
    /// The same for a fine mesh, with both halves of an address; `words` is
    /// given.
    #[inline(always)]
    pub fn holds_back(&self, words: u32, high: u64, low: u64, has: impl Fn(Mark) -> bool) -> bool {
        words != 0
            && self.masks.iter().all(|mask| {
                *mask == [0; 2] || !has(self.mark(words, [high & mask[0], low & mask[1]]))
            })
    }

    /// The mark of a key.
    #[inline(always)]
    pub fn mark(&self, words: u32, [high, low]: [u64; 2]) -> Mark {
        let hash = hash(self.seed, high, low);
        let word = (((hash >> 32) * u64::from(words)) >> 32) as u32;
        let bit = |at: u32| 1_u64 << (hash >> at & 63);
        Mark { word, bits: bit(0) | bit(6) | bit(12) | bit(18) }
    }
}

impl Mark {
    /// Whether a word has all of the bits.
    #[inline(always)]
    pub const fn is_in(self, word: u64) -> bool {
        word & self.bits == self.bits
    }
}

/// The fraction of the golden ratio: an odd number without a pattern.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes two words; every bit of either moves about half of the result's.
#[inline(always)]
const fn hash(seed: u64, high: u64, low: u64) -> u64 {
    let mixed = (high ^ seed).wrapping_mul(GOLDEN);
    // The fraction of the square root of 3, another one.
    let mixed = (mixed ^ mixed >> 32 ^ low).wrapping_mul(0xbb67_ae85_84ca_a73b);
    mixed ^ mixed >> 32
}

const _: () = assert!(size_of::<Coarse>() == 64 && align_of::<Coarse>() == 8);
const _: () = assert!(size_of::<Fine>() == 64 && align_of::<Fine>() == 8);

pod!(Coarse, Fine);
