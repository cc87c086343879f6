//! What a list compiles to for quick answers: tables of
//! [`filter_common::poptrie`]. Pure.
//!
//! Owns the choice of nodes. A block of addresses is admitted when its most
//! specific prefix has no expiry, and refused when it has no prefix; about all
//! others the trie is asked. So the smallest equal set is what a table holds,
//! whatever overlaps in the list.
//!
//! A table falls into 65,536 parts, one for each value of the first 16 address
//! bits; a change of a prefix touches only those that the prefix touches.

mod blocks;
mod region;
mod sieve;

use std::ops::RangeInclusive;

use filter_common::poptrie::{Cell, ROOT_ADMITTED, ROOT_ASK, ROOT_BITS, ROOT_REFUSED, ROOT_WORDS};
use filter_common::trie::TrieValue;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::access_list::PrefixTable;
use blocks::{Item, State};
use region::region;
pub use sieve::Sieve;

/// One part of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The trie is asked about all of its addresses.
    Ask,
    /// All of its addresses are refused.
    Refused,
    /// All of its addresses are admitted.
    Admitted,
    /// It depends on the bits that follow: a region.
    Region(Vec<Cell>),
}

impl Part {
    /// Its word in the root, when its region starts at a cell.
    pub fn root_word(&self, start: u32) -> u32 {
        match self {
            Self::Ask => ROOT_ASK,
            Self::Refused => ROOT_REFUSED,
            Self::Admitted => ROOT_ADMITTED,
            Self::Region(_) => start,
        }
    }
}

/// A prefix as a table needs it.
pub trait Net: Ord + Copy + Into<IpNet> {
    /// Bits of an address.
    const WIDTH: u32;
    /// The network address, its first bit the highest.
    fn bits(self) -> u128;
    /// How many of them count.
    fn length(self) -> u32;
    /// The network of an address and a length.
    fn of(bits: u128, length: u32) -> Self;
}

/// Compiles a whole table: calls `put` with every part that is a region or
/// admits or asks, in no order. Parts that it is not called with are refused.
pub fn compile<N: Net>(table: &PrefixTable<N>, mut put: impl FnMut(u32, Part)) {
    let mut wide = vec![State::Refused; ROOT_WORDS as usize];
    let mut is_region = vec![false; ROOT_WORDS as usize];
    let mut items: Vec<Item> = Vec::new();
    let mut flush = |items: &mut Vec<Item>, wide: &[State]| {
        if let Some(first) = items.first() {
            let part = root_word(first.bits);
            is_region[part as usize] = true;
            put(part, region::<N>(items, wide[part as usize]));
            items.clear();
        }
    };
    // Wider prefixes come before those inside them.
    for (net, value) in table.prefixes() {
        let item = Item::new(*net, *value);
        if item.length <= ROOT_BITS {
            let parts = parts_of(*net);
            wide[*parts.start() as usize..=*parts.end() as usize].fill(item.state);
            continue;
        }
        if items.first().is_some_and(|first| root_word(first.bits) != root_word(item.bits)) {
            flush(&mut items, &wide);
        }
        items.push(item);
    }
    flush(&mut items, &wide);
    for (part, state) in (0..).zip(wide) {
        if state != State::Refused && !is_region[part as usize] {
            put(part, state.into());
        }
    }
}

/// Compiles one part of a table.
pub fn compile_part<N: Net>(table: &PrefixTable<N>, part: u32) -> Part {
    let first = u128::from(part) << (u128::BITS - ROOT_BITS);
    let last = first | (u128::MAX >> ROOT_BITS);
    let wide = |length| table.prefixes().get(&N::of(first, length));
    let wide = (0..=ROOT_BITS).rev().find_map(wide);
    let wide = wide.map_or(State::Refused, |value| State::of(*value));
    let inside = table.prefixes().range(N::of(first, ROOT_BITS + 1)..=N::of(last, N::WIDTH));
    let items: Vec<Item> = inside.map(|(net, value)| Item::new(*net, *value)).collect();
    region::<N>(&items, wide)
}

/// The parts that a prefix touches.
pub fn parts_of<N: Net>(net: N) -> RangeInclusive<u32> {
    let first = root_word(net.bits());
    let count = ROOT_WORDS >> net.length().min(ROOT_BITS);
    first..=first + count - 1
}

fn root_word(bits: u128) -> u32 {
    u32::try_from(bits >> (u128::BITS - ROOT_BITS)).expect("16 bits are left")
}

impl From<State> for Part {
    fn from(state: State) -> Self {
        match state {
            State::Refused => Self::Refused,
            State::Admitted => Self::Admitted,
            State::Ask => Self::Ask,
        }
    }
}

impl State {
    fn of(value: TrieValue) -> Self {
        if value.expires_boot_s == 0 { Self::Admitted } else { Self::Ask }
    }
}

impl Item {
    fn new<N: Net>(net: N, value: TrieValue) -> Self {
        Self { bits: net.bits(), length: net.length(), state: State::of(value) }
    }
}

impl Net for Ipv4Net {
    const WIDTH: u32 = u32::BITS;

    fn bits(self) -> u128 {
        u128::from(self.network().to_bits()) << (u128::BITS - Self::WIDTH)
    }

    fn length(self) -> u32 {
        self.prefix_len().into()
    }

    fn of(bits: u128, length: u32) -> Self {
        let bits = u32::try_from(bits >> (u128::BITS - Self::WIDTH)).expect("32 bits are left");
        Self::new_assert(bits.into(), narrow(length)).trunc()
    }
}

impl Net for Ipv6Net {
    const WIDTH: u32 = u128::BITS;

    fn bits(self) -> u128 {
        self.network().to_bits()
    }

    fn length(self) -> u32 {
        self.prefix_len().into()
    }

    fn of(bits: u128, length: u32) -> Self {
        Self::new_assert(bits.into(), narrow(length)).trunc()
    }
}

fn narrow(length: u32) -> u8 {
    u8::try_from(length).expect("a prefix has at most 128 bits")
}

/// The upper and the lower bits of an address.
fn halves(bits: u128) -> [u64; 2] {
    [bits >> u64::BITS, bits & u128::from(u64::MAX)]
        .map(|half| u64::try_from(half).expect("half of the bits are left"))
}
