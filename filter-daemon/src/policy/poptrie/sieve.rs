//! The sieve in front of a table: which form suits a list, and which marks a
//! prefix leaves in it.
//!
//! A hashed sieve has keys of a few lengths. A prefix of another length is
//! split into blocks of the next one, so the lengths are chosen to need as few
//! keys as can be; where even that is too many, because the list covers much,
//! the sieve is a direct one.

mod depths;

use filter_common::poptrie::ROOT_BITS;
use filter_common::sieve::{MAX_DEPTHS, Mark, SieveForm};

use super::{Net, halves};
use crate::access_list::PrefixTable;

/// The most keys of a hashed sieve: with more it would not fit a CPU's own
/// cache.
const MOST_KEYS: u64 = 3 << 19;

/// Bits that a key has of its sieve: of a hundred addresses that are not
/// covered, one or two pass each depth.
const BITS_PER_KEY: u64 = 12;

/// The fewest keys that there is room for beyond those of the list.
const SPARE_KEYS: u64 = 512;

/// The most address bits that a direct sieve tells apart.
const MOST_DIRECT_BITS: u32 = 22;

/// A sieve, but for its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sieve {
    form: SieveForm,
    /// How many more keys may be marked until too much passes.
    room: u64,
}

impl Sieve {
    /// The sieve for a list.
    pub fn of<N: Net>(table: &PrefixTable<N>, seed: u64) -> Self {
        let counts = depths::counts(table);
        match depths::fewest_keys(&counts) {
            Some((depths, keys)) if keys <= MOST_KEYS => Self::hashed(&depths, keys, seed),
            Some(_) | None => Self::direct(counts.iter().sum()),
        }
    }

    fn hashed(depths: &[u32], keys: u64, seed: u64) -> Self {
        let room = keys / 8 + SPARE_KEYS;
        let words = ((keys + room) * BITS_PER_KEY).div_ceil(u64::from(u64::BITS));
        let mut masks = [[0; 2]; MAX_DEPTHS];
        for (mask, depth) in masks.iter_mut().zip(depths) {
            *mask = halves(!(u128::MAX.checked_shr(*depth).unwrap_or(0)));
        }
        let words = u32::try_from(words).expect("the keys are limited");
        Self { form: SieveForm { masks, seed, words, direct_bits: 0 }, room }
    }

    /// Enough bits that most of them are empty where the list is scattered, and
    /// no more than are needed.
    fn direct(entries: u64) -> Self {
        let direct_bits = (entries.max(1).ilog2() + 4).clamp(ROOT_BITS, MOST_DIRECT_BITS);
        let words = 1 << (direct_bits - u64::BITS.ilog2());
        let form = SieveForm { words, direct_bits, ..SieveForm::default() };
        Self { form, room: entries / 8 + SPARE_KEYS }
    }

    /// The sieve that an earlier daemon made.
    pub fn adopted(form: SieveForm) -> Self {
        let keys = u64::from(form.words) * u64::from(u64::BITS) / BITS_PER_KEY;
        Self { form, room: keys / 8 }
    }

    /// Whether it lets everything through.
    pub fn is_open(&self) -> bool {
        self.form.words == 0
    }

    /// As the kernel sees it.
    pub fn form(&self) -> SieveForm {
        self.form
    }

    /// Takes the room for another prefix; without enough of it, the sieve lets
    /// everything through from now on. Whether there was enough.
    pub fn take_room<N: Net>(&mut self, net: N) -> bool {
        let taken = match self.form.direct_bits {
            0 => self.key(net.length()).map_or(u64::MAX, |key| key.count),
            _ => 1,
        };
        match self.room.checked_sub(taken) {
            Some(left) => self.room = left,
            None => self.form.words = 0,
        }
        self.form.words != 0
    }

    /// Calls `put` with all that a prefix marks.
    pub fn mark<N: Net>(&self, net: N, put: impl FnMut(Mark)) {
        match self.form.direct_bits {
            0 => self.mark_hashed(net, put),
            bits => mark_direct(bits, net, put),
        }
    }

    fn mark_hashed<N: Net>(&self, net: N, mut put: impl FnMut(Mark)) {
        let Some(Key { mask, depth, count }) = self.key(net.length()) else { return };
        for block in 0..count {
            let [high, low] = halves(net.bits() | u128::from(block) << (u128::BITS - depth));
            let key = [high & mask[0], low & mask[1]];
            put(Mark::hashed(self.form.words, self.form.seed, key));
        }
    }

    /// What a prefix of a length is split into; one that is longer than all
    /// keys has the longest around it.
    fn key(&self, length: u32) -> Option<Key> {
        let masks = self.form.masks.into_iter().filter(|mask| *mask != [0; 2]);
        let depths = masks.map(|mask| (depth_of(mask), mask));
        let longer = depths.clone().filter(|(depth, _)| *depth >= length).min();
        let (depth, mask) = longer.or(depths.max())?;
        let count = 1_u64.checked_shl(depth.saturating_sub(length)).unwrap_or(u64::MAX);
        Some(Key { mask, depth, count })
    }
}

/// The keys that a prefix is split into.
struct Key {
    mask: [u64; 2],
    depth: u32,
    count: u64,
}

fn mark_direct<N: Net>(bits: u32, net: N, mut put: impl FnMut(Mark)) {
    let [first, _] = halves(net.bits());
    for block in 0..1_u64 << bits.saturating_sub(net.length()) {
        put(Mark::direct(bits, first | block << (u64::BITS - bits)));
    }
}

fn depth_of(mask: [u64; 2]) -> u32 {
    mask.iter().map(|half| half.count_ones()).sum()
}

#[cfg(test)]
mod tests;
