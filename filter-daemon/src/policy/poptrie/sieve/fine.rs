//! The fine mesh: how long its keys are, and how many there are.

use filter_common::poptrie::FRONT_WORDS;
use filter_common::sieve::{Fine, MAX_DEPTHS, Mark};

use super::depths::{Counts, fewest_keys};
use super::{blocks, keys_of, mask_of, spare, take};
use crate::policy::poptrie::Net;

/// The most keys; a list with more has no fine mesh.
const MOST_KEYS: u64 = 3 << 19;

/// Bits that a key has of its mesh: of a hundred addresses that are not
/// covered, one or two pass each depth.
const BITS_PER_KEY: u64 = 12;

/// A fine mesh, but for its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FineMesh {
    form: Fine,
    /// How many more keys may be marked until too much passes.
    room: u64,
}

impl FineMesh {
    /// The mesh with the fewest keys, as lengths are chosen, where the coarse
    /// one takes so many words of the front.
    pub(super) fn of(counts: &Counts, seed: u64, coarse_words: u32) -> Self {
        let none = Self { form: Fine::default(), room: u64::MAX };
        let chosen = fewest_keys(counts).filter(|(_, keys)| *keys <= MOST_KEYS);
        let Some((depths, keys)) = chosen else { return none };
        let words = u32::try_from(words(keys)).expect("the keys are limited");
        let mut masks = [[0; 2]; MAX_DEPTHS];
        for (mask, depth) in masks.iter_mut().zip(depths) {
            *mask = mask_of(depth);
        }
        let first = if coarse_words + words <= FRONT_WORDS { coarse_words } else { 0 };
        Self { form: Fine { masks, seed, words, first }, room: spare(keys) }
    }

    pub(super) fn adopted(form: Fine) -> Self {
        let keys = u64::from(form.words) * u64::from(u64::BITS) / BITS_PER_KEY;
        Self { form, room: if form.words == 0 { u64::MAX } else { keys / 8 } }
    }

    pub(super) fn form(&self) -> Fine {
        self.form
    }

    pub(super) fn take_room(&mut self, length: u32) -> bool {
        let Some((_, depth)) = self.key(length) else { return true };
        take(&mut self.room, keys_of(length, depth))
    }

    pub(super) fn mark<N: Net>(&self, net: N, mut put: impl FnMut(Mark)) {
        let Some((mask, depth)) = self.key(net.length()) else { return };
        for [high, low] in blocks(net, depth) {
            put(self.form.mark(self.form.words, [high & mask[0], low & mask[1]]));
        }
    }

    /// What a prefix of a length is split into; one that is longer than all
    /// keys has the longest around it.
    fn key(&self, length: u32) -> Option<([u64; 2], u32)> {
        let masks = self.form.masks.into_iter().filter(|mask| *mask != [0; 2]);
        let keys = masks.map(|mask| (mask, mask.map(u64::count_ones).iter().sum::<u32>()));
        let longer = keys.clone().filter(|(_, depth)| *depth >= length);
        longer.min_by_key(|(_, depth)| *depth).or(keys.max_by_key(|(_, depth)| *depth))
    }
}

/// How many words a mesh of so many keys has.
const fn words(keys: u64) -> u64 {
    ((keys + spare(keys)) * BITS_PER_KEY).div_ceil(u64::BITS as u64)
}
