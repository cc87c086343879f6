//! The sieve in front of a table: which meshes suit a list, and which marks a
//! prefix leaves in them.
//!
//! Keys have a few lengths. A prefix that is shorter than a key is split into
//! all keys that it covers, one that is longer has the key around it.

mod coarse;
mod depths;
mod fine;

use filter_common::poptrie::FRONT_WORDS;
use filter_common::sieve::{Coarse, Fine, Mark};

use super::{Net, halves};
use crate::access_list::PrefixTable;
use coarse::CoarseMesh;
use fine::FineMesh;

/// A sieve, but for its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sieve {
    coarse: CoarseMesh,
    fine: FineMesh,
    is_open: bool,
}

impl Sieve {
    /// The sieve for a list.
    pub fn of<N: Net>(table: &PrefixTable<N>, seed: u64) -> Self {
        let counts = depths::counts(table);
        let coarse = CoarseMesh::of(&counts, seed);
        Self { coarse, fine: FineMesh::of(&counts, seed, coarse.words()), is_open: false }
    }

    /// The sieve that an earlier daemon made.
    pub fn adopted(coarse: Coarse, fine: Fine) -> Self {
        let is_open = coarse.shift == 0;
        Self { coarse: CoarseMesh::adopted(coarse), fine: FineMesh::adopted(fine), is_open }
    }

    /// Whether it lets everything through.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The coarse mesh as the kernel sees it.
    pub fn coarse(&self) -> Coarse {
        self.coarse.form()
    }

    /// The fine mesh as the kernel sees it.
    pub fn fine(&self) -> Fine {
        self.fine.form()
    }

    /// Takes the room for another prefix; without enough of it, the sieve lets
    /// everything through from now on. Whether there was enough.
    pub fn take_room<N: Net>(&mut self, net: N) -> bool {
        let has_room = self.coarse.take_room(net.length()) && self.fine.take_room(net.length());
        self.is_open |= !has_room;
        !self.is_open
    }

    /// Calls `put` with all that a prefix marks in the coarse mesh.
    pub fn mark_coarse<N: Net>(&self, net: N, put: impl FnMut(Mark)) {
        self.coarse.mark(net, put);
    }

    /// Calls `put` with all that a prefix marks in the fine mesh.
    pub fn mark_fine<N: Net>(&self, net: N, put: impl FnMut(Mark)) {
        self.fine.mark(net, put);
    }
}

/// For how many keys there is room beyond those of a list.
const fn spare(keys: u64) -> u64 {
    keys / 8 + 512
}

/// How many keys of a depth a prefix of a length is split into.
fn keys_of(length: u32, depth: u32) -> u64 {
    1_u64.checked_shl(depth.saturating_sub(length)).unwrap_or(u64::MAX)
}

/// The keys of a depth that a prefix is split into, as the upper and the lower
/// bits of addresses.
fn blocks<N: Net>(net: N, depth: u32) -> impl Iterator<Item = [u64; 2]> {
    let count = keys_of(net.length(), depth);
    (0..count).map(move |block| {
        let shift = u128::BITS - depth;
        halves(net.bits() | u128::from(block).checked_shl(shift).unwrap_or(0))
    })
}

/// The address bits of a depth, ones.
fn mask_of(depth: u32) -> [u64; 2] {
    halves(!(u128::MAX.checked_shr(depth).unwrap_or(0)))
}

/// Takes room for some keys, if there is enough.
fn take(room: &mut u64, keys: u64) -> bool {
    let left = room.checked_sub(keys);
    *room = left.unwrap_or(*room);
    left.is_some()
}

const _: () = assert!(coarse::MOST_WORDS <= FRONT_WORDS, "a coarse mesh fits the front");

#[cfg(test)]
mod tests;
