//! The packet table through the real program, by BPF_PROG_TEST_RUN: every
//! scenario, in every mode, with the frame whole and with a linear part that
//! ends inside its headers. Each run must answer the declared action, and of
//! all counters exactly the declared cell must move, by exactly these packets
//! and bytes.

use std::collections::{BTreeSet, HashMap};

use filter_tests::counter_table::{Cell, Count};
use filter_tests::program::Program;
use filter_tests::scenario::{self, Mode, Reason, Rules, Scenario, Verdict};
use filter_tests::test_run::Action;
use filter_tests::world::World;
use filter_tests::world::flows::Flows;

/// Lengths of the linear part: none, Ethernet alone, in the middle of an IP
/// header, and the whole frame.
const LINEAR_BYTES: [Option<usize>; 4] = [None, Some(0), Some(14), Some(34)];

#[test]
fn names_are_used_once() {
    let mut seen = HashMap::new();
    for scenario in scenario::all() {
        let twice = seen.insert(scenario.name.clone(), scenario.row);
        assert_eq!(twice, None, "{:?} names two scenarios", scenario.name);
    }
}

/// Every reason that a packet can end with has a scenario that ends with it.
#[test]
fn every_reason_has_a_scenario() {
    let shown: BTreeSet<Reason> = scenario::all()
        .iter()
        .flat_map(|scenario| scenario.modes().iter().map(|mode| scenario.expected.cell(*mode).1))
        .collect();
    let elsewhere = [
        // Nothing writes an expiry yet; `sync.rs` writes one into the kernel.
        Reason::Expired,
        // The program is never attached without a generation; see `sync.rs`.
        Reason::NoPolicy,
    ];
    let missing: Vec<&str> = Reason::ALL
        .iter()
        .filter(|reason| !shown.contains(reason) && !elsewhere.contains(reason))
        .map(|reason| reason.name())
        .collect();
    assert!(missing.is_empty(), "no scenario ends with {missing:?}");
}

#[test]
fn every_scenario_ends_as_declared() {
    judge_all(Program::open);
}

/// A table in front of a trie changes no verdict and no counter.
#[test]
fn every_scenario_ends_as_declared_behind_a_table() {
    judge_all(Program::open_accelerated);
}

fn judge_all(open: fn() -> Program) {
    let world = World::new();
    let _flows = Flows::open(&world);
    world.host.run(|| {
        let mut program = open();
        let mut table = Table::new(&mut program);
        for (rules, scenarios) in by_rules(scenario::all()) {
            for mode in [Mode::Enforce, Mode::Observe, Mode::Off] {
                let of_mode: Vec<&Scenario> =
                    scenarios.iter().filter(|s| s.modes().contains(&mode)).collect();
                if !of_mode.is_empty() {
                    table.apply(&rules, mode);
                    of_mode.into_iter().for_each(|scenario| table.judge(scenario, mode));
                }
            }
        }
        table.report();
    });
}

/// In observe and off nothing is ever dropped.
#[test]
fn the_table_declares_no_drop_but_in_enforce() {
    for scenario in scenario::all() {
        for mode in scenario.modes().iter().filter(|mode| **mode != Mode::Enforce) {
            let (_, _, verdict) = scenario.expected.cell(*mode);
            assert_ne!(verdict, Verdict::Drop, "{}: {}", scenario.row, scenario.name);
        }
    }
}

fn by_rules(scenarios: Vec<Scenario>) -> Vec<(Rules, Vec<Scenario>)> {
    let mut groups: Vec<(Rules, Vec<Scenario>)> = Vec::new();
    for scenario in scenarios {
        match groups.iter_mut().find(|(rules, _)| *rules == scenario.rules) {
            Some((_, group)) => group.push(scenario),
            None => groups.push((scenario.rules.clone(), vec![scenario])),
        }
    }
    groups
}

/// Runs scenarios one after the other and collects what is wrong.
struct Table<'a> {
    program: &'a mut Program,
    before: HashMap<Cell, Count>,
    runs: usize,
    wrong: Vec<String>,
}

impl<'a> Table<'a> {
    fn new(program: &'a mut Program) -> Self {
        let before = program.counters();
        Self { program, before, runs: 0, wrong: Vec::new() }
    }

    /// The counters of an app that comes or goes start anew.
    fn apply(&mut self, rules: &Rules, mode: Mode) {
        self.program.apply(rules, mode);
        self.before = self.program.counters();
    }

    fn judge(&mut self, scenario: &Scenario, mode: Mode) {
        let (app, reason, verdict) = scenario.expected.cell(mode);
        let title = format!("{}: {} [{}]", scenario.row, scenario.name, mode.name());
        let action = match verdict {
            Verdict::Pass | Verdict::WouldDrop => Action::Pass,
            Verdict::Drop => Action::Drop,
        };
        let mut packets = 0;
        for linear in LINEAR_BYTES {
            if linear.is_some_and(|bytes| bytes >= scenario.frame.len()) {
                continue;
            }
            let got = self.program.run(&scenario.frame, linear);
            packets += 1;
            if got != action {
                self.wrong.push(format!("{title}, linear {linear:?}: {got:?}, not {action:?}"));
            }
        }
        self.runs += packets;
        let packets = u64::try_from(packets).expect("few");
        let bytes = packets * u64::try_from(scenario.frame.len()).expect("short");
        let moved = self.moved();
        let expected = vec![((app, reason, verdict), (packets, bytes))];
        if moved != expected {
            self.wrong.push(format!("{title}: counted {moved:?}, not {expected:?}"));
        }
    }

    fn moved(&mut self) -> Vec<(Cell, Count)> {
        let after = self.program.counters();
        let moved = after
            .iter()
            .filter_map(|(cell, now)| {
                let was = self.before.get(cell).copied().unwrap_or_default();
                (*now != was).then_some((*cell, (now.0 - was.0, now.1 - was.1)))
            })
            .collect();
        self.before = after;
        moved
    }

    fn report(self) {
        println!("{} runs of the program", self.runs);
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
    }
}
