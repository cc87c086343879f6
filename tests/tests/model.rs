//! All implementations of "is this address on the list" must agree: a naive
//! model, the daemon's list and its compiled table, and in the kernel the tries
//! alone and the tables in front of them, asked by running the program.

#[path = "model/naive.rs"]
mod naive;

use std::cell::RefCell;
use std::net::IpAddr;

use filter_common::trie::TrieValue;
use filter_daemon::access_list::{Address, PrefixSet};
use filter_daemon::policy::LookupTable;
use filter_tests::frame::Packet;
use filter_tests::namespace::Namespace;
use filter_tests::program::Program;
use filter_tests::scenario::{AppRules, Mode, PORT, Rules, datagram};
use filter_tests::test_run::Action;
use filter_tests::world::HOST;
use naive::{Bits, Pair};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Lists that proptest makes up, each applied to the kernel.
const RANDOM_LISTS: u32 = 150;

/// Prefixes of the seeded run.
const SEEDED_PREFIXES: usize = 20_000;

#[test]
fn random_lists() {
    inside(|program| {
        let config = Config { cases: RANDOM_LISTS, failure_persistence: None, ..Config::default() };
        let program = RefCell::new(program);
        let mut runner = TestRunner::new(config);
        let case =
            (prop::collection::vec(pair(), 0..40), prop::collection::vec(any::<u64>(), 0..40));
        let result = runner.run(&case, |(pairs, seeds)| {
            let pairs = without_repeats(pairs);
            let mut queries = borders(&pairs);
            queries.extend(seeds.into_iter().map(|seed| Random(seed).address()));
            agree(&mut program.borrow_mut(), &pairs, &queries).map_err(TestCaseError::fail)
        });
        if let Err(error) = result {
            panic!("{error}");
        }
    });
}

/// One big list from a fixed seed: it fails the same way on every machine.
#[test]
fn a_seeded_list() {
    inside(|program| {
        let mut random = Random(0x5eed);
        let pairs: Vec<Pair> = (0..SEEDED_PREFIXES).map(|_| random.pair()).collect();
        let pairs = without_repeats(pairs);
        let mut queries: Vec<Bits> = Vec::new();
        for pair in pairs.iter().step_by(20) {
            queries.extend(borders(std::slice::from_ref(pair)));
        }
        queries.extend((0..2000).map(|_| random.address()));
        if let Err(difference) = agree(program, &pairs, &queries) {
            panic!("{difference}");
        }
    });
}

/// How many look-ups [`many_lookups`] makes, if not [`FEW_LOOKUPS`].
const LOOKUPS: &str = "FILTERD_LOOKUPS";
const FEW_LOOKUPS: usize = 200_000;

/// Prefixes of each of its lists, and look-ups in each.
const MANY_PREFIXES: usize = 100;
const LOOKUPS_A_LIST: usize = 20_000;

/// Random look-ups, as many as are asked for, from a fixed seed.
#[test]
fn many_lookups() {
    let wanted = match std::env::var(LOOKUPS) {
        Ok(text) => text.parse().expect("a number of look-ups"),
        Err(_) => FEW_LOOKUPS,
    };
    Namespace::new().run(|| {
        let mut kernel = [Program::open(), Program::open_accelerated()];
        let mut random = Random(0x10_00_00);
        let mut done = 0;
        while done < wanted {
            look_up_in_one_list(&mut kernel, &mut random);
            done += LOOKUPS_A_LIST;
        }
        println!("{done} look-ups, no disagreement");
    });
}

fn look_up_in_one_list(kernel: &mut [Program; 2], random: &mut Random) {
    let pairs = without_repeats((0..MANY_PREFIXES).map(|_| random.pair()).collect());
    let list: Vec<String> = pairs.iter().map(Pair::text).collect();
    let mut set = PrefixSet::default();
    for (number, text) in (1..).zip(&list) {
        let prefix = Address::parse(text).expect("valid").prefix();
        set.insert(prefix, TrieValue { entry: number, expires_boot_s: 0 });
    }
    let compiled = LookupTable::new(&set);
    let rules = Rules::of(AppRules { list, ..AppRules::new(&["port=443"]) });
    kernel.iter_mut().for_each(|program| program.apply(&rules, Mode::Enforce));
    let mut frames = [HOST.v4().into(), HOST.v6().into()].map(|host: IpAddr| {
        let source = if host.is_ipv4() { [192, 0, 2, 1].into() } else { [0x20; 16].into() };
        Packet::new(source, host, datagram(443)).frame()
    });
    for _ in 0..LOOKUPS_A_LIST {
        let query = random.address();
        let source = ip(&query);
        let listed = naive::lookup(&pairs, &query).is_some();
        let martian = naive::is_martian(&query);
        assert!(martian || compiled.admits(source, 0) == listed, "compiled: {source}");
        assert!(martian || set.lookup(source).is_some() == listed, "list: {source}");
        let (frame, at) =
            if source.is_ipv4() { (&mut frames[0], 26) } else { (&mut frames[1], 22) };
        frame[at..at + query.0.len()].copy_from_slice(&query.0);
        let action = if listed && !martian { Action::Pass } else { Action::Drop };
        for program in kernel.iter() {
            assert_eq!(program.run(frame, None), action, "kernel: {source}");
        }
    }
}

/// With the tries alone, and with tables in front of them.
fn inside(work: impl Fn(&mut Program) + Sync) {
    for open in [Program::open, Program::open_accelerated] {
        Namespace::new().run(|| work(&mut open()));
    }
}

/// Asks all three about every address.
fn agree(program: &mut Program, pairs: &[Pair], queries: &[Bits]) -> Result<(), String> {
    // Every other IPv4 pair is typed as a mapped address: it means the same.
    let typed = |(place, pair): (usize, &Pair)| {
        let mapped = pair.address.width() == 32 && place % 2 == 1;
        if mapped { mapped_text(pair) } else { pair.text() }
    };
    let list: Vec<String> = pairs.iter().enumerate().map(typed).collect();
    let mut table = PrefixSet::default();
    for (number, text) in (1..).zip(&list) {
        let address = Address::parse(text).map_err(|error| error.to_string())?;
        let value = TrieValue { entry: number, expires_boot_s: 0 };
        if let Some(other) = table.insert(address.prefix(), value) {
            return Err(format!("{text} and entry {} have one prefix", other.entry));
        }
    }
    let compiled = LookupTable::new(&table);
    let rules = Rules::of(AppRules { list, ..AppRules::new(&["host"]) });
    program.apply(&rules, Mode::Enforce);
    for query in queries {
        let expected = naive::lookup(pairs, query).map(|place| place + 1);
        let address: IpAddr = ip(query);
        // The table takes a mapped address for the IPv4 one; the program never
        // asks it about one.
        let found = table.lookup(address).map(|(_, value)| value.entry as usize);
        if found != expected && !naive::is_martian(query) {
            return Err(format!("{}: table says {found:?}, model {expected:?}", query.text()));
        }
        if compiled.admits(address, 0) != expected.is_some() && !naive::is_martian(query) {
            return Err(format!("{}: compiled table says otherwise", query.text()));
        }
        let host = if address.is_ipv4() { HOST.v4().into() } else { HOST.v6().into() };
        let frame = Packet::new(address, host, datagram(PORT)).frame();
        let passes = expected.is_some() && !naive::is_martian(query);
        let action = if passes { Action::Pass } else { Action::Drop };
        let got = program.run(&frame, None);
        if got != action {
            return Err(format!("{}: kernel says {got:?}, model {expected:?}", query.text()));
        }
    }
    Ok(())
}

/// An IPv4 pair as an IPv4-mapped IPv6 one.
fn mapped_text(pair: &Pair) -> String {
    let bytes = [&[0; 10][..], &[0xff, 0xff], &pair.address.0].concat();
    format!("{}/{}", Bits(bytes).text(), pair.length + 96)
}

fn ip(bits: &Bits) -> IpAddr {
    match <[u8; 4]>::try_from(bits.0.as_slice()) {
        Ok(v4) => v4.into(),
        Err(_) => <[u8; 16]>::try_from(bits.0.as_slice()).expect("4 or 16 bytes").into(),
    }
}

/// Both ends of every pair, and what is just outside.
fn borders(pairs: &[Pair]) -> Vec<Bits> {
    pairs
        .iter()
        .flat_map(|pair| {
            let (first, last) = (pair.address.clone(), pair.last());
            [first.neighbour(false), last.neighbour(true), first, last]
        })
        .collect()
}

fn without_repeats(pairs: Vec<Pair>) -> Vec<Pair> {
    let mut kept: Vec<Pair> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for pair in pairs {
        if seen.insert(pair.text()) {
            kept.push(pair);
        }
    }
    kept
}

/// Pairs that crowd into a few networks, so that they cover one another.
fn pair() -> impl Strategy<Value = Pair> {
    any::<u64>().prop_map(|seed| Random(seed | 1).pair())
}

/// A xorshift generator: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).expect("small")).expect("small")
    }

    /// Mostly near one another, sometimes anywhere.
    fn address(&mut self) -> Bits {
        let v6 = self.next() & 1 == 1;
        let base: &[u8] = match (v6, self.below(4)) {
            (false, 0) => &[10, 77],
            (false, 1) => &[192, 0, 2],
            (false, _) => &[],
            (true, 0) => &[0x20, 0x01, 0x0d, 0xb8],
            (true, 1) => &[0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            (true, _) => &[],
        };
        let mut bytes = base.to_vec();
        let width = if v6 { 16 } else { 4 };
        while bytes.len() < width {
            let byte = self.next().to_be_bytes()[0];
            // Few values, so that prefixes meet.
            bytes.push(if self.next() & 1 == 1 { byte } else { byte & 0x81 });
        }
        Bits(bytes)
    }

    fn pair(&mut self) -> Pair {
        let address = self.address();
        let width = address.width();
        let length = match self.below(4) {
            0 => width,
            1 => width - self.below(9),
            _ => self.below(width + 1),
        };
        let pair = Pair::new(address, length);
        // A prefix inside ::ffff:0:0/96 would mean an IPv4 one.
        let mapped = width == 128
            && length >= 96
            && pair.address.0[..10].iter().all(|byte| *byte == 0)
            && pair.address.0[10..12] == [0xff, 0xff];
        if mapped { self.pair() } else { pair }
    }
}
