//! No covered address is held back, whatever the list, and few others pass.

use std::fmt::Debug;

use ipnet::{Ipv4Net, Ipv6Net};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;

use super::*;
use filter_common::trie::TrieValue;

const VALUE: TrieValue = TrieValue { entry: 1, expires_boot_s: 0 };

/// A sieve and its words, as a table has them.
struct Filled {
    sieve: Sieve,
    coarse: Vec<u64>,
    fine: Vec<u64>,
}

impl Filled {
    fn new<N: Net>(table: &PrefixTable<N>) -> Self {
        let sieve = Sieve::of(table, 0x5eed);
        let fine = vec![0; sieve.fine().words as usize];
        let mut filled = Self { sieve, coarse: vec![0; FRONT_WORDS as usize], fine };
        table.prefixes().keys().for_each(|net| filled.mark(*net));
        filled
    }

    fn mark<N: Net>(&mut self, net: N) {
        self.sieve.mark_coarse(net, |mark| self.coarse[mark.word as usize] |= mark.bits);
        self.sieve.mark_fine(net, |mark| self.fine[mark.word as usize] |= mark.bits);
    }

    /// A prefix that comes later.
    fn add<N: Net>(&mut self, net: N) {
        if self.sieve.take_room(net) {
            self.mark(net);
        }
    }

    fn passes(&self, address: u128) -> bool {
        let [high, low] = halves(address);
        let coarsely = |mark: Mark| mark.is_in(self.coarse[mark.word as usize]);
        let finely = |mark: Mark| mark.is_in(self.fine[mark.word as usize]);
        let (coarse, fine) = (self.sieve.coarse(), self.sieve.fine());
        self.sieve.is_open()
            || !coarse.holds_back(coarse.shift, high, coarsely)
                && !fine.holds_back(fine.words, high, low, finely)
    }
}

fn table<N: Net + Default>(nets: impl IntoIterator<Item = N>) -> PrefixTable<N> {
    let mut table = PrefixTable::default();
    for net in nets {
        table.insert(net, VALUE);
    }
    table
}

fn net<N: Net + Debug>() -> impl Strategy<Value = N> {
    (any::<u128>(), 0..=N::WIDTH).prop_map(|(bits, length)| N::of(bits, length))
}

/// Addresses of a net: its borders, and one that is given as far as it can be.
fn inside<N: Net>(net: N, seed: u128) -> [u128; 3] {
    let unit = 128 - N::WIDTH;
    let host = u128::MAX.checked_shr(net.length()).unwrap_or(0) >> unit << unit;
    [net.bits(), net.bits() | host, net.bits() | (seed & host)]
}

fn holds_none_back<N: Net>(list: &PrefixTable<N>, later: &[N], seed: u128) -> bool {
    let mut filled = Filled::new(list);
    later.iter().for_each(|net| filled.add(*net));
    let nets = list.prefixes().keys().chain(later);
    nets.flat_map(|net| inside(*net, seed)).all(|address| filled.passes(address))
}

proptest! {
    #[test]
    fn what_is_covered_passes_v4(nets in vec(net::<Ipv4Net>(), 1..60), later in vec(net(), 0..8), seed: u128) {
        prop_assert!(holds_none_back(&table(nets), &later, seed));
    }

    #[test]
    fn what_is_covered_passes_v6(nets in vec(net::<Ipv6Net>(), 1..60), later in vec(net(), 0..8), seed: u128) {
        prop_assert!(holds_none_back(&table(nets), &later, seed));
    }
}

#[test]
fn few_neighbours_of_scattered_addresses_pass() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
    let lengths = [24, 32].into_iter().cycle();
    let nets: Vec<Ipv4Net> =
        lengths.take(20_000).map(|length| Ipv4Net::of(random.random(), length)).collect();
    let filled = Filled::new(&table(nets.iter().copied()));
    assert_ne!(filled.sieve.fine().words, 0);
    let singles = nets.iter().filter(|net| net.prefix_len() == 32);
    let neighbours = singles.map(|net| net.bits() ^ 1 << 96);
    let passed = neighbours.filter(|bits| filled.passes(*bits)).count();
    assert!(passed < 1000, "{passed} of 10,000 pass");
}

#[test]
fn a_list_of_all_lengths_has_a_coarse_mesh_alone() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    let lengths = (12..=32).cycle();
    let nets: Vec<Ipv4Net> =
        lengths.take(200_000).map(|length| Ipv4Net::of(random.random(), length)).collect();
    let filled = Filled::new(&table(nets.iter().copied()));
    assert_eq!(filled.sieve.fine().words, 0);
    assert_eq!(filled.sieve.coarse().multiplier, 1);
    assert!(nets.iter().all(|net| filled.passes(net.bits())));
}

#[test]
fn a_sieve_without_room_lets_everything_through() {
    let mut filled = Filled::new(&table([Ipv4Net::of(192 << 120, 32)]));
    assert!(!filled.passes(0));
    filled.add(Ipv4Net::of(8 << 120, 8));
    assert!(filled.passes(0) && filled.sieve.is_open());
    let open = Sieve::adopted(Coarse::default(), filled.sieve.fine());
    assert!(open.is_open(), "as the next daemon finds it");
}
