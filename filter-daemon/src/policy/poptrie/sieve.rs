//! What the sieve of a table says of one part: which blocks of it are let
//! through.

use filter_common::poptrie::{MOST_SIEVE_BITS, ROOT_BITS};

/// Address bits that tell the blocks of a part apart.
pub(super) const BLOCK_BITS: u32 = MOST_SIEVE_BITS - ROOT_BITS;

const WORDS: usize = (1 << BLOCK_BITS) / u32::BITS as usize;

/// A bit for each block of a part that the finest sieve tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks([u32; WORDS]);

impl Blocks {
    /// No block.
    pub const NONE: Self = Self([0; WORDS]);
    /// Every block.
    pub const ALL: Self = Self([u32::MAX; WORDS]);

    /// So many blocks in a row: a power of two, at a multiple of itself.
    pub(super) fn of(first: usize, count: usize) -> Self {
        let mut blocks = Self::NONE;
        for block in first..first + count {
            blocks.0[block / 32] |= 1 << (block % 32);
        }
        blocks
    }

    /// The blocks of both.
    pub(super) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// The words of a coarser sieve, one that tells so many address bits apart.
    /// Where a part has fewer than 32 blocks they are the low bits of one word.
    pub fn coarsened(&self, sieve_bits: u32) -> Vec<u32> {
        let joined = 1_usize << (MOST_SIEVE_BITS - sieve_bits);
        let mut words = vec![0; (WORDS / joined).max(1)];
        for block in (0..WORDS * 32).filter(|block| self.0[block / 32] >> (block % 32) & 1 != 0) {
            let block = block / joined;
            words[block / 32] |= 1 << (block % 32);
        }
        words
    }
}
