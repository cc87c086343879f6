//! From a change to its effect, and what it costs meanwhile.
//!
//! A change is asked for on the control socket; its effect is the first frame
//! that the pinned program judges by the new list.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use filter_tests::daemon::{AppPath, Daemon};
use filter_tests::deadline::wait_for;
use filter_tests::measure::Spread;
use filter_tests::pulse::{PULSE_PORT, Pulse, Report as PulseReport};
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::test_run::Action;
use filter_tests::world::{Family, LISTED, UNLISTED};
use ipnet::IpNet;
use serde::Serialize;

use crate::effort::Effort;
use crate::kernel_memory;
use crate::lists::List;
use crate::object::frame;
use crate::prober::watch;
use crate::sources::Sources;
use crate::stage::{Stage, protected_port};

/// Between two probes of a change that takes long: it shall have the CPU.
const PAUSE: Duration = Duration::from_micros(250);

/// How many rounds show what gaps the machine has by itself.
const IDLE_ROUNDS: u64 = 500;

/// Lists that replace each other are drawn from these.
const SEEDS: [u64; 2] = [0x5eed_0001, 0x5eed_0004];

/// One line of figures: a list of so many entries.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) family: &'static str,
    pub(crate) entries: usize,
    /// One entry added or removed: from the request to the effect.
    pub(crate) one_in_force_ms: Spread,
    /// The same, to the answer.
    pub(crate) one_answered_ms: Spread,
    /// The whole list replaced: from the request to the effect.
    pub(crate) all_in_force_ms: Spread,
    /// The same, to the answer.
    pub(crate) all_answered_ms: Spread,
    /// Datagrams, one a millisecond, while lists were replaced.
    pub(crate) probes: u64,
    /// Wrong verdicts among them.
    pub(crate) wrong_verdicts: u64,
    /// The longest time between two that got through.
    pub(crate) longest_gap_ms: f64,
    /// The same while nothing was changed: what the machine adds.
    pub(crate) idle_gap_ms: f64,
    /// Of all maps, with the list in force.
    pub(crate) kernel_bytes: u64,
    /// Of the daemon, with the list in force.
    pub(crate) resident_bytes: u64,
}

/// Measures every size in both families.
pub(crate) fn run(effort: &Effort) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for family in Family::BOTH {
        let stage = Stage::new();
        let daemon = stage.start();
        let scopes = [protected_port(), format!("port={PULSE_PORT}")];
        let scopes = scopes.each_ref().map(String::as_str);
        let rules = AppRules::new(&scopes);
        let app = daemon.control().create_app("measured", &rules, Mode::Enforce);
        for size in &effort.sizes {
            eprintln!("changes: {size} entries, IP{}", family.name());
            let change = Change { effort, stage: &stage, daemon: &daemon, app: &app, family };
            rows.push(change.measure(*size)?);
        }
    }
    Ok(rows)
}

/// How many entries are random on a list of so many: the others are the place
/// that traffic comes from, in both families, and the one that comes and goes.
pub(crate) fn random_entries(size: usize) -> usize {
    size.saturating_sub(Family::BOTH.len() + 1).max(1)
}

/// A list's entries, and the place that traffic comes from.
pub(crate) fn with_listed(list: &List) -> Vec<String> {
    let listed = Family::BOTH.map(|family| LISTED.address(family).to_string());
    [list.texts(), listed.to_vec()].concat()
}

/// What the changes are made on.
struct Change<'a> {
    effort: &'a Effort,
    stage: &'a Stage,
    daemon: &'a Daemon<'a>,
    app: &'a AppPath,
    family: Family,
}

/// From the request to the effect, and to the answer.
type Times = (Vec<Duration>, Vec<Duration>);

impl Change<'_> {
    fn measure(&self, size: usize) -> Result<Row> {
        let lists = SEEDS.map(|seed| List::random(self.family, random_entries(size), seed));
        let texts = lists.each_ref().map(with_listed);
        self.daemon.control().import(self.app, &texts[0], true);
        let kernel_bytes = kernel_memory::bytes(&self.stage.installation.pins().files())?;
        let resident_bytes = self.daemon.resident_bytes()?;
        let (one_in_force, one_answered) = self.change_one(&lists[0])?;
        let idle = self.idle();
        let busy = self.pulse();
        let (all_in_force, all_answered) = self.replace_all(&lists, &texts)?;
        let busy = busy.finish();
        Ok(Row {
            family: self.family.name(),
            entries: size,
            one_in_force_ms: Spread::of_ms(one_in_force),
            one_answered_ms: Spread::of_ms(one_answered),
            all_in_force_ms: Spread::of_ms(all_in_force),
            all_answered_ms: Spread::of_ms(all_answered),
            probes: busy.rounds,
            wrong_verdicts: busy.missing + busy.leaked,
            longest_gap_ms: busy.longest_gap.as_secs_f64() * 1e3,
            idle_gap_ms: idle.longest_gap.as_secs_f64() * 1e3,
            kernel_bytes,
            resident_bytes,
        })
    }

    /// Traffic while nothing is changed.
    fn idle(&self) -> PulseReport {
        let pulse = self.pulse();
        wait_for("some traffic", || (pulse.rounds() > IDLE_ROUNDS).then_some(()));
        pulse.finish()
    }

    fn pulse(&self) -> Pulse {
        Pulse::start(&self.stage.world, LISTED, &[UNLISTED])
    }

    /// Adds an address and removes it, over and over.
    fn change_one(&self, list: &List) -> Result<Times> {
        let address = Sources::Unlisted.draw(list, &[], 1).context("an address is unlisted")?[0];
        let control = self.daemon.control();
        let (mut in_force, mut answered) = (Vec::new(), Vec::new());
        for _ in 0..self.effort.changes.div_ceil(2) {
            let added = self.watch(address, Action::Pass, Duration::ZERO, || {
                control.add(self.app, &address.to_string())
            });
            let ((entry, answer), at) = added?;
            in_force.push(at - answer.asked_at);
            answered.push(answer.took);
            let (answer, at) =
                self.watch(address, Action::Drop, Duration::ZERO, || control.delete(&entry))?;
            in_force.push(at - answer.asked_at);
            answered.push(answer.took);
        }
        Ok((in_force, answered))
    }

    /// Replaces the list by the other one, over and over.
    fn replace_all(&self, lists: &[List; 2], texts: &[Vec<String>; 2]) -> Result<Times> {
        let control = self.daemon.control();
        let (mut in_force, mut answered) = (Vec::new(), Vec::new());
        for round in 1..=self.effort.repeats {
            let (next, now) = (round % 2, 1 - round % 2);
            let cover = lists[now].cover();
            let mut addresses = lists[next].networks.iter().map(IpNet::addr);
            let address =
                addresses.find(|address| !cover.has(*address)).context("the lists differ")?;
            let (answer, at) = self.watch(address, Action::Pass, PAUSE, || {
                control.import(self.app, &texts[next], true)
            })?;
            in_force.push(at - answer.asked_at);
            answered.push(answer.took);
        }
        Ok((in_force, answered))
    }

    fn watch<T: Send>(
        &self,
        source: IpAddr,
        becomes: Action,
        pause: Duration,
        change: impl FnOnce() -> T,
    ) -> Result<(T, Instant)> {
        let pin = self.stage.pin("program");
        watch(&self.stage.world.host, &pin, &frame(source), becomes, pause, change)
    }
}
