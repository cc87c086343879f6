//! The coarse mesh: how long its keys are, and how large it is.

use filter_common::sieve::{Coarse, Mark};

use super::depths::{Counts, keys_at};
use super::{blocks, keys_of, mask_of, spare, take};
use crate::policy::poptrie::Net;

/// Bits that a key has of its mesh, unless that is at its largest: of a hundred
/// addresses that are not covered, some five pass.
const BITS_PER_KEY: u64 = 8;

/// The fewest and the most bits of a mesh, as powers of two. The most leave room
/// in a CPU's own cache for the fine mesh; larger ones were slower with sources
/// near to entries.
const SIZES: [u32; 2] = [16, 22];

/// The most words of a mesh.
pub(super) const MOST_WORDS: u32 = 1 << (SIZES[1] - u64::BITS.ilog2());

/// Longer keys are worth it if there are at most this part more of them,
const WORTH: u64 = 4;

/// or if a mesh of this size has room for them, as a power of two: it lies in
/// the part of a cache that answers at once, whatever the list does.
const NEAR: u32 = 18;

/// The longest keys: those of the upper half of an address.
const DEEPEST: u32 = u64::BITS;

/// A coarse mesh, but for its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CoarseMesh {
    form: Coarse,
    /// How many more keys may be marked until too much passes.
    room: u64,
}

impl CoarseMesh {
    /// The mesh with the longest keys of which there are few more than
    /// prefixes. Where such keys are so short that each can have a bit of its
    /// own, because the list covers much, each has.
    pub(super) fn of(counts: &Counts, seed: u64) -> Self {
        let [smallest, largest] = SIZES;
        let entries: u64 = counts.iter().sum();
        let most_keys = (entries + entries / WORTH).max((1 << NEAR) / BITS_PER_KEY);
        let is_worth_it = |depth: &u32| keys_at(counts, *depth) <= most_keys;
        let lengths = (0..).zip(counts).filter(|(_, count)| **count > 0);
        let longest = lengths.map(|(length, _)| length).max().unwrap_or(0);
        let depth = (0..=longest.min(DEEPEST)).rev().find(is_worth_it).unwrap_or(0);
        let keys = keys_at(counts, depth);
        let bits = (keys * BITS_PER_KEY).next_power_of_two().ilog2().clamp(smallest, largest);
        let fitting = (1 << bits) / BITS_PER_KEY;
        let room = spare(keys).max(fitting.saturating_sub(keys));
        if depth <= bits {
            return Self { form: form(bits, bits, 1), room };
        }
        Self { form: form(depth, bits, seed | 1), room }
    }

    pub(super) fn adopted(form: Coarse) -> Self {
        let bits = 1_u64.checked_shl(u64::BITS - form.shift).unwrap_or(0);
        Self { form, room: bits / BITS_PER_KEY / 8 }
    }

    pub(super) fn form(&self) -> Coarse {
        self.form
    }

    pub(super) fn words(&self) -> u32 {
        1 << (u64::BITS - self.form.shift - u64::BITS.ilog2())
    }

    pub(super) fn take_room(&mut self, length: u32) -> bool {
        // Where each key has a bit of its own, others do not suffer.
        let keys = if self.form.multiplier == 1 { 1 } else { keys_of(length, self.depth()) };
        take(&mut self.room, keys)
    }

    pub(super) fn mark<N: Net>(&self, net: N, mut put: impl FnMut(Mark)) {
        for [high, _] in blocks(net, self.depth()) {
            put(self.form.mark(self.form.shift, high));
        }
    }

    fn depth(&self) -> u32 {
        self.form.mask.count_ones()
    }
}

fn form(depth: u32, bits: u32, multiplier: u64) -> Coarse {
    let [mask, _] = mask_of(depth);
    Coarse { mask, multiplier, shift: u64::BITS - bits, ..Coarse::default() }
}
