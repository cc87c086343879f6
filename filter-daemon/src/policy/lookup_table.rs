//! A list compiled for look-ups in user space: its widest prefixes in order, and
//! where those with the same first bits begin.
//!
//! It shares nothing with the kernel's tables. A prefix inside a wider one is
//! left out: what the wider one does not decide, as it ends some day, the list
//! itself is asked.

mod bits;

use std::net::IpAddr;

use filter_common::trie::TrieValue;

use super::poptrie::Net;
use crate::access_list::{PrefixSet, PrefixTable};
use bits::{Bits, Half, Rule};

/// A list of both families, for quick answers about many addresses: some tens
/// of nanoseconds each, however long the list is.
#[derive(Clone, Debug)]
pub struct LookupTable {
    v4: Blocks<u32>,
    v6: Blocks<u128>,
    /// Asked where it depends on the time.
    list: PrefixSet,
}

/// The widest prefixes of one family, in blocks of addresses that have their
/// first bits in common; one that is wider than a block is in each of its blocks.
#[derive(Clone, Debug)]
struct Blocks<B: Bits> {
    /// What all prefixes begin with, and how many bits of it count.
    front: B,
    common: u32,
    /// How many bits behind these choose a block.
    choosing: u32,
    /// By block: how many halves are in those before it.
    starts: Vec<u32>,
    /// The prefixes of each block, rising: of the first address of each what of the
    /// upper half the block does not say, with what it admits below that; behind
    /// them the lower halves, if there are any, in the same order. So both mostly
    /// lie in one line of the cache.
    halves: Vec<B::Half>,
}

/// What the prefixes say of an address.
enum Answer {
    Refused,
    Admitted,
    Ask,
}

/// An index of a megabyte: a larger one would crowd out of the cache what it
/// leads to, and the prefixes of a block lie side by side.
const MOST_CHOOSING: u32 = 18;

impl LookupTable {
    /// Compiles a list.
    pub fn new(list: &PrefixSet) -> Self {
        Self { v4: Blocks::new(list.v4()), v6: Blocks::new(list.v6()), list: list.clone() }
    }

    /// Whether the list admits an address at a second of the boot clock. An
    /// IPv4-mapped address is looked up among the IPv4 prefixes.
    pub fn admits(&self, address: IpAddr, now_boot_s: u32) -> bool {
        let answer = match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.look_up(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.look_up(v6.to_bits()),
        };
        match answer {
            Answer::Refused => false,
            Answer::Admitted => true,
            Answer::Ask => {
                let found = self.list.lookup(address);
                found.is_some_and(|(_, value)| is_valid(value, now_boot_s))
            }
        }
    }
}

fn is_valid(value: TrieValue, now_boot_s: u32) -> bool {
    value.expires_boot_s == 0 || now_boot_s < value.expires_boot_s
}

impl<B: Bits> Blocks<B> {
    fn new<N: Net>(prefixes: &PrefixTable<N>) -> Self {
        let widest = widest(prefixes);
        let (first, last) = match widest.as_slice() {
            [] => (B::of(0), B::of(0)),
            [first, .., last] => (first.0, last.0),
            [one] => (one.0, one.0),
        };
        let shortest = widest.iter().map(|(_, rule)| rule.length).min().unwrap_or(0);
        let common = first.common(last).min(shortest).min(B::WIDTH - 1);
        let least = B::Half::RULE_BITS.saturating_sub(common).max(1);
        let wanted = (widest.len() / 2).next_power_of_two().ilog2().clamp(least, MOST_CHOOSING);
        let choosing = wanted.min(B::WIDTH - common);
        let blocks = Self {
            front: first,
            common,
            choosing,
            starts: Vec::with_capacity((1 << choosing) + 1),
            halves: Vec::with_capacity(widest.len() * B::HALVES),
        };
        blocks.fill(widest)
    }

    fn fill(mut self, widest: Vec<(B, Rule)>) -> Self {
        let behind = self.common + self.choosing;
        let mut lowers = Vec::new();
        for (first, rule) in widest {
            let blocks = self.block(first)..=self.block(first.last(rule.length));
            let is_wide = rule.length < behind;
            // It covers each of its blocks as a whole.
            let (first, rule) =
                if is_wide { (B::of(0), Rule { length: 0, ..rule }) } else { (first, rule) };
            let (head, lower) = first.halves(behind);
            for block in blocks {
                self.begin(block, &mut lowers);
                self.halves.push(head.with_rule(rule));
                lowers.extend(lower);
            }
        }
        self.begin(1 << self.choosing, &mut lowers);
        self
    }

    /// Goes on to a block, or stays in it; the lower halves of the one before
    /// follow its upper ones.
    fn begin(&mut self, block: usize, lowers: &mut Vec<B::Half>) {
        if self.starts.len() <= block {
            self.halves.append(lowers);
            let start = u32::try_from(self.halves.len()).expect("a list is shorter");
            self.starts.resize(block + 1, start);
        }
    }

    fn block(&self, address: B) -> usize {
        address.cut(self.common, self.choosing)
    }

    /// The only prefix that may cover an address is the last of its block that
    /// begins before it, or with it.
    fn look_up(&self, address: B) -> Answer {
        if self.front.common(address) < self.common {
            return Answer::Refused;
        }
        let block = self.block(address);
        let [start, end] = [self.starts[block], self.starts[block + 1]].map(|at| at as usize);
        let behind = self.common + self.choosing;
        let (head, lower) = address.halves(behind);
        let halves = &self.halves[start..end];
        let (heads, lowers) = halves.split_at(halves.len() / B::HALVES);
        let mut place = heads.partition_point(|other| other.without_rule() <= head);
        if let Some(lower) = lower
            && place > 0
            && heads[place - 1].same(head).is_none()
        {
            let same = heads[..place].partition_point(|other| other.without_rule() < head);
            place = same + lowers[same..place].partition_point(|other| *other <= lower);
        }
        let Some(place) = place.checked_sub(1) else { return Answer::Refused };
        let Rule { length, is_lasting } = heads[place].rule();
        let common = match (heads[place].same(head), lower) {
            (Some(same), _) => behind + same,
            (None, Some(lower)) => u64::BITS + lowers[place].common(lower),
            (None, None) => B::WIDTH,
        };
        match (common >= length, is_lasting) {
            (false, _) => Answer::Refused,
            (true, true) => Answer::Admitted,
            (true, false) => Answer::Ask,
        }
    }
}

/// The prefixes that lie in no other, by their first address.
fn widest<B: Bits, N: Net>(prefixes: &PrefixTable<N>) -> Vec<(B, Rule)> {
    let mut widest: Vec<(B, Rule)> = Vec::new();
    // Wider prefixes come before those inside them.
    for (net, value) in prefixes.prefixes() {
        let first = B::of(net.bits());
        let is_inside =
            widest.last().is_some_and(|(wider, rule)| wider.common(first) >= rule.length);
        if !is_inside {
            let is_lasting = value.expires_boot_s == 0;
            widest.push((first, Rule { length: net.length(), is_lasting }));
        }
    }
    widest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access_list::{Address, Prefix};

    fn set(list: &[(Prefix, u32)]) -> PrefixSet {
        let mut set = PrefixSet::default();
        for (prefix, expires_boot_s) in list {
            set.insert(*prefix, TrieValue { entry: 1, expires_boot_s: *expires_boot_s });
        }
        set
    }

    #[test]
    fn what_a_wider_prefix_does_not_decide_is_asked_of_the_list() {
        let prefix = |text| Address::parse(text).expect(text).prefix();
        let list = [("10.0.0.0/8", 100), ("10.1.0.0/16", 0), ("::/0", 7), ("2001:db8::/32", 0)];
        let table = LookupTable::new(&set(&list.map(|(text, end)| (prefix(text), end))));
        for (address, second, is_admitted) in [
            ("10.2.0.1", 99, true),
            ("10.2.0.1", 100, false),
            ("10.1.0.1", 100, true),
            ("11.0.0.1", 0, false),
            ("2001:db8::1", 7, true),
            ("2001:db9::1", 6, true),
            ("2001:db9::1", 7, false),
            ("::ffff:10.1.0.1", 100, true),
        ] {
            let admits = table.admits(address.parse().expect(address), second);
            assert_eq!(admits, is_admitted, "{address} at {second}");
        }
    }

    /// Few bits of an address differ, so that prefixes and addresses meet.
    fn address() -> impl Strategy<Value = IpAddr> {
        (any::<bool>(), any::<[u8; 4]>()).prop_map(|(is_v4, [a, b, c, d])| {
            let [a, b, c, d] = [a & 0x81, b & 0x81, c & 0x81, d & 0x81];
            match is_v4 {
                true => IpAddr::from([a, b, c, d]),
                false => IpAddr::from([0x20, a, 0, b, 0, 0, 0, 0, 0, c, 0, 0, 0, 0, 0, d]),
            }
        })
    }

    fn prefix() -> impl Strategy<Value = Prefix> {
        (address(), 0..=128_u8).prop_map(|(address, length)| {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let network = ipnet::IpNet::new(address, length.min(longest)).expect("it fits");
            Prefix::new(network.trunc())
        })
    }

    fn covers(wider: &Prefix, inside: &Prefix) -> bool {
        let (wider, inside) = (wider.network(), inside.network());
        wider.prefix_len() <= inside.prefix_len() && wider.contains(&inside.addr())
    }

    proptest! {
        #[test]
        fn answers_as_the_list_does(
            list in prop::collection::vec((prefix(), 0..3_u32), 0..40),
            asked in prop::collection::vec((address(), 0..4_u32), 40),
        ) {
            // A prefix ends with the last of those that cover it.
            let last = |inside: &Prefix| {
                let ends = list.iter().filter(|(wider, _)| covers(wider, inside));
                let ends: Vec<u32> = ends.map(|(_, end)| *end).collect();
                if ends.contains(&0) { 0 } else { ends.into_iter().max().unwrap_or(0) }
            };
            let list: Vec<_> = list.iter().map(|(prefix, _)| (*prefix, last(prefix))).collect();
            let set = set(&list);
            let table = LookupTable::new(&set);
            for (address, second) in asked {
                let found = set.lookup(address).is_some_and(|(_, value)| is_valid(value, second));
                prop_assert_eq!(table.admits(address, second), found, "{}", address);
            }
        }
    }
}
