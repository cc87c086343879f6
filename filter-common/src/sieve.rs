//! A sieve in front of a table: it holds back nearly every address that no
//! prefix covers, in one to three memory reads, and never one that some prefix
//! covers.
//!
//! It has one of two forms. A *direct* one has a bit for each value of the
//! first few address bits; it suits lists that cover much. A *hashed* one is a
//! Bloom filter (Bloom, CACM 1970) whose keys are address blocks of at most
//! [`MAX_DEPTHS`] lengths, with the bits of a key in one word (Putze, Sanders
//! and Singler, JEA 2009); it suits scattered lists, whose long prefixes no
//! first bits tell apart, and it fits a CPU's own cache.
//!
//! Invariants: bits are only ever set, until the whole table is replaced; a
//! zeroed sieve holds nothing back.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a few bits of an address or a hash, cut out before they are cast"
)]

use crate::pod;

/// How many lengths the blocks of a hashed sieve have at most; each costs a
/// memory read.
pub const MAX_DEPTHS: usize = 3;

/// The form of a sieve.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SieveForm {
    /// Which address bits make a key, by depth; `[0; 2]` is no depth.
    pub masks: [[u64; 2]; MAX_DEPTHS],
    /// What makes the hashes of this sieve unlike those of others.
    pub seed: u64,
    /// How many words of 64 bits it has; with 0 it holds nothing back.
    pub words: u32,
    /// How many address bits a direct sieve tells apart; 0 for a hashed one.
    pub direct_bits: u32,
}

/// Bits of one word of a sieve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The word, counted from the sieve's first.
    pub word: u32,
    /// The bits.
    pub bits: u64,
}

impl SieveForm {
    /// Whether the sieve holds an address back, given a way to find out whether
    /// it has a mark. The number of words is given, as it may change at any
    /// time where user space and the kernel share the form. `high` and `low` are
    /// the bits of the address as in [`crate::poptrie`].
    #[inline(always)]
    pub fn holds_back(&self, words: u32, high: u64, low: u64, has: impl Fn(Mark) -> bool) -> bool {
        if words == 0 {
            return false;
        }
        if self.direct_bits != 0 {
            return !has(Mark::direct(self.direct_bits, high));
        }
        self.masks.iter().all(|mask| {
            *mask == [0; 2] || !has(Mark::hashed(words, self.seed, [high & mask[0], low & mask[1]]))
        })
    }
}

impl Mark {
    /// The mark of an address in a direct sieve.
    #[inline(always)]
    pub const fn direct(direct_bits: u32, high: u64) -> Self {
        let place = high.wrapping_shr(u64::BITS - direct_bits);
        Self { word: (place >> 6) as u32, bits: 1 << (place & 63) }
    }

    /// The mark of a key in a hashed sieve of so many words.
    #[inline(always)]
    pub fn hashed(words: u32, seed: u64, [high, low]: [u64; 2]) -> Self {
        let hash = hash(seed, high, low);
        let word = (((hash >> 32) * u64::from(words)) >> 32) as u32;
        let bit = |at: u32| 1_u64 << (hash >> at & 63);
        Self { word, bits: bit(0) | bit(6) | bit(12) | bit(18) }
    }

    /// Whether a word has all of the bits.
    #[inline(always)]
    pub const fn is_in(self, word: u64) -> bool {
        word & self.bits == self.bits
    }
}

/// Mixes two words; every bit of either moves about half of the result's.
#[inline(always)]
const fn hash(seed: u64, high: u64, low: u64) -> u64 {
    // Odd numbers without a pattern: the fractions of the golden ratio and of
    // the square root of 3.
    let mixed = (high ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 32 ^ low).wrapping_mul(0xbb67_ae85_84ca_a73b);
    mixed ^ mixed >> 32
}

const _: () = assert!(size_of::<SieveForm>() == 64 && align_of::<SieveForm>() == 8);

pod!(SieveForm);
