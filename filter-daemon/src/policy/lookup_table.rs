//! A list compiled for look-ups in user space: its widest prefixes in order, and
//! where those with the same first bits begin.
//!
//! It shares nothing with the kernel's tables. A prefix inside a wider one is
//! left out: what the wider one does not decide, as it ends some day, the list
//! itself is asked.

use std::net::IpAddr;

use filter_common::trie::TrieValue;

use super::poptrie::Net;
use crate::access_list::{PrefixSet, PrefixTable};

/// A list of both families, for quick answers about many addresses: some tens
/// of nanoseconds each, however long the list is.
#[derive(Clone, Debug)]
pub struct LookupTable {
    v4: Blocks<u32>,
    v6: Blocks<u128>,
    /// Asked where it depends on the time.
    list: PrefixSet,
}

/// The widest prefixes of one family; none lies inside another.
#[derive(Clone, Debug)]
struct Blocks<B: Bits> {
    /// The upper halves of their first addresses, rising.
    uppers: Vec<B::Upper>,
    /// The lower halves, apart from them: they are read where an upper half is
    /// the address's own, which is rare and would crowd the cache.
    lowers: Vec<B::Lower>,
    rules: Vec<Rule>,
    /// By the bits of an address that choose: how many prefixes begin before all
    /// addresses with these bits.
    starts: Vec<u32>,
    /// How many bits all prefixes have in common, and how many behind these
    /// choose.
    common: u32,
    choosing: u32,
}

/// What a prefix says beside its first address.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// How many bits count.
    length: u8,
    /// Whether it admits for ever.
    is_lasting: bool,
}

/// What the prefixes say of an address.
enum Answer {
    Refused,
    Admitted,
    Ask,
}

/// The bits of an address. IPv4 has no lower half.
trait Bits: Copy + Ord {
    const WIDTH: u32;
    type Upper: Copy + Ord;
    type Lower: Copy + Ord;
    /// From the upper bits of a wider number.
    fn of(bits: u128) -> Self;
    fn halves(self) -> (Self::Upper, Self::Lower);
    fn whole(upper: Self::Upper, lower: Self::Lower) -> Self;
    /// How many of the first bits are the same.
    fn common(self, other: Self) -> u32;
    /// So many bits, fewer than 32, behind the first ones.
    fn cut(self, behind: u32, count: u32) -> usize;
}

/// From so many bits that choose on, the index would be larger than the rest.
const MOST_CHOOSING: u32 = 22;

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
        let (mut firsts, mut rules) = (Vec::<B>::new(), Vec::<Rule>::new());
        // Wider prefixes come before those inside them.
        for (net, value) in prefixes.prefixes() {
            let first = B::of(net.bits());
            let is_inside = firsts
                .last()
                .zip(rules.last())
                .is_some_and(|(wider, rule)| wider.common(first) >= u32::from(rule.length));
            if !is_inside {
                let length = u8::try_from(net.length()).expect("at most 128");
                firsts.push(first);
                rules.push(Rule { length, is_lasting: value.expires_boot_s == 0 });
            }
        }
        let ends = firsts.first().zip(firsts.last());
        let common = ends.map_or(0, |(first, last)| first.common(*last)).min(B::WIDTH - 1);
        let wanted = firsts.len().next_power_of_two().ilog2().clamp(1, MOST_CHOOSING);
        let choosing = wanted.min(B::WIDTH - common);
        let starts = starts(choosing, firsts.iter().map(|first| first.cut(common, choosing)));
        let (uppers, lowers) = firsts.into_iter().map(B::halves).unzip();
        Self { uppers, lowers, rules, starts, common, choosing }
    }

    /// The only prefix that may cover an address is the last that begins before
    /// it; where the bits in front of the block differ, none does.
    fn look_up(&self, address: B) -> Answer {
        let Some(place) = self.behind(address).checked_sub(1) else { return Answer::Refused };
        let Rule { length, is_lasting } = self.rules[place];
        let (upper, lower) = address.halves();
        // Where the upper halves differ, the lower ones do not matter.
        let first = match self.uppers[place] {
            same if same == upper => B::whole(same, self.lowers[place]),
            other => B::whole(other, lower),
        };
        match (first.common(address) >= u32::from(length), is_lasting) {
            (false, _) => Answer::Refused,
            (true, true) => Answer::Admitted,
            (true, false) => Answer::Ask,
        }
    }

    /// How many prefixes begin before an address, or with it.
    fn behind(&self, address: B) -> usize {
        let block = address.cut(self.common, self.choosing);
        let [start, end] = [self.starts[block], self.starts[block + 1]].map(|at| at as usize);
        let (upper, lower) = address.halves();
        let uppers = &self.uppers[start..end];
        let behind = uppers.partition_point(|other| *other <= upper);
        if behind == 0 || uppers[behind - 1] != upper {
            return start + behind;
        }
        let same = uppers[..behind].partition_point(|other| *other < upper);
        let lowers = &self.lowers[start + same..start + behind];
        start + same + lowers.partition_point(|other| *other <= lower)
    }
}

/// Where the members of each block begin, given the blocks of all.
fn starts(choosing: u32, blocks: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0; (1 << choosing) + 1];
    for block in blocks {
        starts[block + 1] += 1;
    }
    let mut before = 0;
    for start in &mut starts {
        before += *start;
        *start = before;
    }
    starts
}

impl Bits for u32 {
    const WIDTH: u32 = Self::BITS;
    type Upper = Self;
    type Lower = ();

    fn of(bits: u128) -> Self {
        (bits >> (u128::BITS - Self::BITS)) as Self
    }

    fn halves(self) -> (Self, ()) {
        (self, ())
    }

    fn whole(upper: Self, (): ()) -> Self {
        upper
    }

    fn common(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }

    fn cut(self, behind: u32, count: u32) -> usize {
        (self << behind >> (Self::BITS - count)) as usize
    }
}

impl Bits for u128 {
    const WIDTH: u32 = Self::BITS;
    type Upper = u64;
    type Lower = u64;

    fn of(bits: u128) -> Self {
        bits
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of the number")]
    fn halves(self) -> (u64, u64) {
        ((self >> u64::BITS) as u64, self as u64)
    }

    fn whole(upper: u64, lower: u64) -> Self {
        Self::from(upper) << u64::BITS | Self::from(lower)
    }

    fn common(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }

    /// Nearly always they lie in the upper half, which is quicker to shift.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 32 bits are left")]
    fn cut(self, behind: u32, count: u32) -> usize {
        if behind + count <= u64::BITS {
            let upper = (self >> u64::BITS) as u64;
            return (upper << behind >> (u64::BITS - count)) as usize;
        }
        (self << behind >> (Self::BITS - count)) as usize
    }
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
