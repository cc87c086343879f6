//! The drop rule: a drop counts only when the same frame, without a filter,
//! reaches a real socket. Every scenario of the table is sent over a real wire
//! here, first without a filter, then with the installed one.

use filter_tests::daemon::{Configuration, Installation};
use filter_tests::scenario::{self, Mode, Rules, Scenario, Verdict};
use filter_tests::wire::{ROUND_PORT, Wire};
use filter_tests::world::flows::Flows;
use filter_tests::world::{FAIL_SAFE, HOST_INTERFACE, World};

#[test]
fn without_a_filter_every_frame_arrives_or_linux_says_no() {
    let world = World::new();
    let _flows = Flows::open(&world);
    let wire = Wire::new(&world).expect("sockets open");
    let mut wrong = Vec::new();
    for scenario in scenario::all() {
        let arrives = wire.delivers(&scenario).expect("sockets work");
        if arrives == scenario.reaches.linux_refuses.is_some() {
            wrong.push(complaint(&scenario, arrives));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn with_the_filter_only_what_passes_arrives() {
    judge_all(Mode::Enforce);
}

#[test]
fn with_the_filter_observing_everything_arrives() {
    judge_all(Mode::Observe);
}

fn judge_all(mode: Mode) {
    let world = World::new();
    let _flows = Flows::open(&world);
    let wire = Wire::new(&world).expect("sockets open");
    let configuration = Configuration::on(HOST_INTERFACE, "native")
        .fail_safe(FAIL_SAFE.v4(), Some(ROUND_PORT))
        .fail_safe(FAIL_SAFE.v6(), Some(ROUND_PORT));
    let installation = Installation::new(configuration);
    let daemon = installation.start(&world.host);
    let control = daemon.control();
    let mut installed: Option<Rules> = None;
    let mut wrong = Vec::new();
    for scenario in scenarios(mode) {
        // Fail-safe sources are in the configuration: always the same ones.
        let rules = Rules { fail_safe: Vec::new(), ..scenario.rules.clone() };
        if installed.as_ref() != Some(&rules) {
            control.install(&rules, mode);
            installed = Some(rules);
        }
        let (_, _, verdict) = scenario.expected.cell(mode);
        let should = verdict != Verdict::Drop && scenario.reaches.linux_refuses.is_none();
        let arrives = wire.delivers(&scenario).expect("sockets work");
        if arrives != should {
            wrong.push(complaint(&scenario, arrives));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a wire can show of a mode, in an order that keeps equal rules
/// together. A fragment that passes alone proves nothing here, and with
/// another fail-safe source than the configured one there is nothing to show.
fn scenarios(mode: Mode) -> Vec<Scenario> {
    let mut scenarios = scenario::all();
    scenarios.retain(|scenario| {
        let (_, _, verdict) = scenario.expected.cell(mode);
        let passes_alone = verdict != Verdict::Drop && !scenario.companions.is_empty();
        let configured = scenario.rules.fail_safe.iter().all(|(_, port)| *port == Some(ROUND_PORT));
        scenario.modes().contains(&mode) && configured && !(passes_alone && mode == Mode::Enforce)
    });
    let mut order: Vec<Rules> = Vec::new();
    for scenario in &scenarios {
        if !order.contains(&scenario.rules) {
            order.push(scenario.rules.clone());
        }
    }
    scenarios.sort_by_key(|scenario| order.iter().position(|rules| *rules == scenario.rules));
    scenarios
}

fn complaint(scenario: &Scenario, arrives: bool) -> String {
    let verb = if arrives { "arrives" } else { "does not arrive" };
    format!("{}: {}: {verb} at {:?}", scenario.row, scenario.name, scenario.reaches.receiver)
}
