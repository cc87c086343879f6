//! From one policy to the next: whatever the steps, the kernel judges by the
//! last policy that was applied and by nothing else.

#[path = "model/naive.rs"]
mod naive;

use std::fs;

use filter_tests::deadline::wait_for;
use filter_tests::frame::Packet;
use filter_tests::frame::segment::{PROBE, Segment};
use filter_tests::namespace::Namespace;
use filter_tests::program::Program;
use filter_tests::scenario::{AppRules, Mode, Reason, Rules, Verdict};
use filter_tests::test_run::Action;
use filter_tests::world::{Family, HOST, LISTED, Place, UNLISTED};
use naive::{Bits, Pair};

/// Steps of the walks through random policies.
const STEPS: usize = 300;
/// With tables a step waits twice as often for packets under way.
const STEPS_BEHIND_TABLES: usize = 120;

/// Entries whose table takes several pieces, its fine mesh one of them.
const SEVERAL_PIECES: usize = 270_000;

/// Apps of the walk at most, each with ports of its own.
const APPS: usize = 5;

fn frame(source: std::net::IpAddr, port: u16) -> Vec<u8> {
    let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
    Packet::new(source, HOST.address(family), Segment::udp(45000, port, PROBE)).frame()
}

fn of(place: Place, family: Family) -> Vec<u8> {
    frame(place.address(family), 443)
}

/// Nothing is attached before the maps hold a policy, and a program that finds
/// none refuses.
#[test]
fn without_a_policy() {
    let namespace = Namespace::new();
    namespace.ip("link add eth0 type veth peer name out0");
    let ifindex = namespace.interface_index("eth0").expect("it was made");
    namespace.run(|| {
        let mut program = Program::open();
        let refusal = program.attach(ifindex).expect_err("there is no policy yet");
        assert!(refusal.contains("no policy"), "{refusal}");
        program.apply(&Rules::host_wide(), Mode::Enforce);
        program.attach(ifindex).expect("now there is one");
        let before = program.counters().len();
        program.select_nothing();
        for family in Family::BOTH {
            assert_eq!(program.run(&of(LISTED, family), None), Action::Drop);
        }
        let counted = program.counters().get(&(0, Reason::NoPolicy, Verdict::Drop)).copied();
        assert_eq!(counted.map(|(packets, _)| packets), Some(2));
        assert_eq!(program.counters().len(), before + 1, "no other counter has moved");
    });
}

#[test]
fn an_entry_ends_when_it_expires() {
    Namespace::new().run(|| {
        let mut program = Program::open();
        let rules = Rules::host_wide();
        let now_s = boot_seconds();
        for (expires, reason, action) in [
            (0, Reason::Listed, Action::Pass),
            (1, Reason::Expired, Action::Drop),
            (now_s, Reason::Expired, Action::Drop),
            (now_s + 1000, Reason::Listed, Action::Pass),
        ] {
            program.apply_expiring(&rules, expires);
            for family in Family::BOTH {
                let before = program.counters();
                assert_eq!(program.run(&of(LISTED, family), None), action, "{expires} of {now_s}");
                let verdict = if action == Action::Pass { Verdict::Pass } else { Verdict::Drop };
                let cell = (1, reason, verdict);
                let count = |counters: &std::collections::HashMap<_, (u64, u64)>| {
                    counters.get(&cell).map_or(0, |(packets, _)| *packets)
                };
                assert_eq!(count(&program.counters()), count(&before) + 1, "{expires}");
                assert_eq!(program.run(&of(UNLISTED, family), None), Action::Drop);
            }
        }
        // It ends by itself, with nobody there to take it out.
        program.apply_expiring(&rules, boot_seconds() + 2);
        assert_eq!(program.run(&of(LISTED, Family::V4), None), Action::Pass);
        wait_for("the entry to expire", || {
            (program.run(&of(LISTED, Family::V4), None) == Action::Drop).then_some(())
        });
    });
}

/// Of what a table answers one in many counts for all; what it leaves to the
/// trie is nothing but one packet.
#[test]
fn a_packet_that_a_table_leaves_to_the_trie_is_one_hit() {
    Namespace::new().run(|| {
        let mut program = Program::open_accelerated();
        program.apply_expiring(&Rules::host_wide(), boot_seconds() + 1000);
        for family in Family::BOTH.into_iter().cycle().take(6) {
            assert_eq!(program.run(&of(LISTED, family), None), Action::Pass);
        }
        assert_eq!(program.hits(), [(1, 3), (2, 3)].into());
    });
}

fn boot_seconds() -> u32 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).expect("a clock");
    u32::try_from(now.tv_sec()).expect("the machine is young")
}

/// An earlier daemon's maps are taken over when stamp and layout match.
#[test]
fn adopted_or_left() {
    Namespace::new().run(|| {
        let mut program = Program::open();
        program.apply(&Rules::host_wide(), Mode::Enforce);
        program.run(&of(UNLISTED, Family::V4), None);
        let counted = program.counters();
        let program = program.reopen();
        assert_eq!(program.run(&of(LISTED, Family::V4), None), Action::Pass);
        assert_eq!(program.run(&of(UNLISTED, Family::V4), None), Action::Drop);
        let cell = (1, Reason::NotListed, Verdict::Drop);
        assert_eq!(program.counters()[&cell].0, counted[&cell].0 + 1, "counters go on");
        // Without its stamp a set of maps is not a whole one.
        let stamp = program.pins().files().into_iter().find(|file| file.ends_with("STAMP"));
        fs::remove_file(stamp.expect("there is a stamp")).expect("it is ours");
        let mut program = program.reopen();
        assert!(program.counters().is_empty(), "these are new maps");
        program.apply(&Rules::host_wide(), Mode::Enforce);
        assert_eq!(program.run(&of(LISTED, Family::V4), None), Action::Pass);
    });
}

/// A table that takes several maps answers as a short one does: for the daemon
/// that made it, for the next one, and not at all for one that finds a part of it.
#[test]
fn a_table_of_several_pieces() {
    Namespace::new().run(|| {
        let mut random = Random(0x91ece5);
        let mut block = || u16::try_from(random.below(1 << 16)).expect("16 bits");
        let address = |n| [0x2001, n, block(), block(), 0, 0, 0, 1].into();
        let listed: Vec<std::net::Ipv6Addr> =
            (0..=u16::MAX).cycle().map(address).take(SEVERAL_PIECES).collect();
        let list = listed.iter().map(ToString::to_string).collect();
        let app = AppRules { list, ..AppRules::new(&["host"]) };
        let rules = Rules { apps: vec![app], ..Rules::host_wide() };
        let mut program = Program::open_accelerated();
        program.apply(&rules, Mode::Enforce);
        let maps = |program: &Program| {
            let is_of_table = |file: &std::path::PathBuf| {
                file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("table6-"))
            };
            program.pins().files().into_iter().filter(is_of_table).collect::<Vec<_>>()
        };
        let judge = |program: &Program| {
            for address in listed.iter().step_by(97) {
                let beside = std::net::Ipv6Addr::from_bits(address.to_bits() ^ 2);
                assert_eq!(program.run(&frame((*address).into(), 443), None), Action::Pass);
                assert_eq!(program.run(&frame(beside.into(), 443), None), Action::Drop);
            }
        };
        judge(&program);
        let judged = listed.iter().step_by(97).len();
        let noted = program.hits().len();
        assert!(noted < judged / 8, "of {judged} the table knows all, but the trie saw {noted}");
        let mut program = program.reopen();
        judge(&program);
        let pins = maps(&program);
        let [front, first, behind @ ..] = pins.as_slice() else { panic!("of several: {pins:?}") };
        for lost in [std::slice::from_ref(front), std::slice::from_ref(first), behind] {
            lost.iter().for_each(|pin| fs::remove_file(pin).expect("it is pinned"));
            program = program.reopen();
            assert_eq!(maps(&program), Vec::<std::path::PathBuf>::new());
            judge(&program);
            assert_eq!(program.hits().len(), judged, "the trie answered");
            program.apply(&rules, Mode::Enforce);
            program.tend();
            assert_eq!(maps(&program), pins, "it is made again");
            judge(&program);
        }
        program.apply(&Rules { apps: Vec::new(), ..Rules::host_wide() }, Mode::Enforce);
        program.tend();
        assert_eq!(maps(&program), Vec::<std::path::PathBuf>::new());
    });
}

/// What the kernel should hold.
#[derive(Clone, Default)]
struct Model {
    apps: Vec<ModelApp>,
}

#[derive(Clone)]
struct ModelApp {
    mode: Mode,
    pairs: Vec<Pair>,
    hops: Vec<Pair>,
}

impl Model {
    fn rules(&self) -> Rules {
        let apps = (1_u16..).zip(&self.apps).map(|(number, app)| AppRules {
            mode: Some(app.mode),
            scopes: vec![format!("port={}-{}", number * 100, number * 100 + 99)],
            list: app.pairs.iter().map(Pair::text).collect(),
            trusted_hops: app.hops.iter().map(Pair::text).collect(),
        });
        Rules { apps: apps.collect(), ..Rules::host_wide() }
    }

    fn admits(&self, source: &Bits, port: u16) -> bool {
        let held = usize::from(port / 100).checked_sub(1).and_then(|place| self.apps.get(place));
        let covered = |app: &ModelApp| {
            naive::lookup(&app.pairs, source).is_some()
                || naive::lookup(&app.hops, source).is_some()
        };
        held.is_none_or(|app| app.mode != Mode::Enforce || covered(app))
    }
}

#[test]
fn a_walk_through_random_policies() {
    walk(Program::open, 0x5eed, STEPS);
}

/// The same with tables, which follow their tries change by change.
#[test]
fn a_walk_through_random_policies_behind_tables() {
    walk(Program::open_accelerated, 0x7ab1e, STEPS_BEHIND_TABLES);
}

fn walk(open: fn() -> Program, seed: u64, steps: usize) {
    Namespace::new().run(|| {
        let mut random = Random(seed);
        let mut model = Model::default();
        let mut program = open();
        for step in 0..steps {
            let what = random.change(&mut model);
            program.apply(&model.rules(), Mode::Enforce);
            match random.below(8) {
                0 => program.tend(),
                1 => program = program.reopen(),
                2 | 3 => drop(program.free_some()),
                _ => {}
            }
            for _ in 0..40 {
                let source = random.source(&model);
                let port = u16::try_from(100 + random.below(APPS * 100)).expect("small");
                let address = address(&source);
                let action = if model.admits(&source, port) { Action::Pass } else { Action::Drop };
                let got = program.run(&frame(address, port), None);
                assert_eq!(got, action, "step {step} ({what}): {address} to port {port}");
            }
        }
        // What every step left behind is gone at the end.
        program.apply(&Rules { apps: Vec::new(), ..Rules::host_wide() }, Mode::Enforce);
        program.tend();
        let tries = |file: &std::path::PathBuf| {
            file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("t"))
        };
        let left: Vec<_> = program.pins().files().into_iter().filter(tries).collect();
        assert!(left.is_empty(), "tries are left behind: {left:?}");
    });
}

fn address(bits: &Bits) -> std::net::IpAddr {
    match <[u8; 4]>::try_from(bits.0.as_slice()) {
        Ok(v4) => v4.into(),
        Err(_) => <[u8; 16]>::try_from(bits.0.as_slice()).expect("4 or 16 bytes").into(),
    }
}

/// The same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bits = usize::try_from(self.0 >> 33).expect("31 bits");
        bits % limit
    }

    /// One of few addresses, so that steps meet.
    fn pair(&mut self) -> Pair {
        let v6 = self.below(2) == 1;
        let mut bytes = if v6 {
            [&[0x20, 0x01, 0x0d, 0xb8][..], &[0; 12]].concat()
        } else {
            vec![10, 77, 0, 0]
        };
        let last = bytes.len() - 1;
        bytes[last - 1] = self.below(2).to_le_bytes()[0];
        bytes[last] = self.below(256).to_le_bytes()[0];
        let width = bytes.len() * 8;
        let length = if self.below(10) == 0 { self.below(width) } else { width - self.below(10) };
        Pair::new(Bits(bytes), length)
    }

    fn pairs(&mut self, most: usize) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = Vec::new();
        for _ in 0..self.below(most) {
            let pair = self.pair();
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        pairs
    }

    /// Changes the model by one step, and names it.
    fn change(&mut self, model: &mut Model) -> &'static str {
        if model.apps.is_empty() || (model.apps.len() < APPS && self.below(12) == 0) {
            let app = ModelApp { mode: Mode::Enforce, pairs: self.pairs(20), hops: Vec::new() };
            model.apps.push(app);
            return "add an app";
        }
        let place = self.below(model.apps.len());
        let app = &mut model.apps[place];
        match self.below(12) {
            0 => {
                model.apps.remove(place);
                "remove an app"
            }
            1 => {
                app.mode = [Mode::Enforce, Mode::Observe, Mode::Off][self.below(3)];
                "change a mode"
            }
            2 => {
                app.pairs = self.pairs(60);
                "replace a list"
            }
            3 => {
                app.hops = self.pairs(4);
                "replace the trusted hops"
            }
            4 => {
                app.pairs.clear();
                "empty a list"
            }
            5 | 6 if !app.pairs.is_empty() => {
                app.pairs.pop();
                "remove the last entry"
            }
            7 if !app.pairs.is_empty() => {
                let at = self.below(app.pairs.len());
                app.pairs.remove(at);
                "remove an entry"
            }
            8 => "change nothing",
            _ => {
                let pair = self.pair();
                if !app.pairs.contains(&pair) {
                    app.pairs.push(pair);
                }
                "add an entry"
            }
        }
    }

    /// An address at a border of something that the model knows, or near it.
    fn source(&mut self, model: &Model) -> Bits {
        let known: Vec<&Pair> =
            model.apps.iter().flat_map(|app| app.pairs.iter().chain(&app.hops)).collect();
        let pair = match known.len() {
            0 => self.pair(),
            count if self.below(4) > 0 => known[self.below(count)].clone(),
            _ => self.pair(),
        };
        let edge = match self.below(4) {
            0 => pair.address.clone(),
            1 => pair.last(),
            2 => pair.address.neighbour(false),
            _ => pair.last().neighbour(true),
        };
        if naive::is_martian(&edge) { self.source(model) } else { edge }
    }
}
