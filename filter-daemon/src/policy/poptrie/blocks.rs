//! Sorting prefixes into the blocks that a few address bits tell apart.

use std::ops::Range;

/// What holds for an address as far as one prefix knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Refused,
    Admitted,
    /// It depends on the time.
    Ask,
}

/// A prefix with what it says of its addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its first bit is the highest.
    pub(super) bits: u128,
    pub(super) length: u32,
    pub(super) state: State,
}

/// What is known of a block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// What holds where no longer prefix says otherwise.
    pub(super) state: State,
    /// Where the longer prefixes are among the items.
    pub(super) longer: Range<usize>,
}

/// Sorts items into the `1 << stride` blocks behind `depth` bits. The items
/// are sorted by address, wider ones first, and longer than `depth`.
pub(super) fn blocks(items: &[Item], depth: u32, stride: u32, inherited: State) -> Vec<Block> {
    let mut blocks = vec![Block { state: inherited, longer: 0..0 }; 1 << stride];
    for (place, item) in items.iter().enumerate() {
        let first = block_of(item.bits, depth, stride);
        if item.length > depth + stride {
            let longer = &mut blocks[first].longer;
            let start = if longer.end == 0 { place } else { longer.start };
            *longer = start..place + 1;
        } else {
            let count = 1 << (depth + stride - item.length);
            blocks[first..first + count].iter_mut().for_each(|block| block.state = item.state);
        }
    }
    blocks
}

fn block_of(bits: u128, depth: u32, stride: u32) -> usize {
    let block = bits << depth >> (u128::BITS - stride);
    usize::try_from(block).expect("a few bits are left")
}
