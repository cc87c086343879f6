//! Start and restart with a long list, under traffic.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;
use filter_tests::daemon::Daemon;
use filter_tests::measure::Spread;
use filter_tests::pulse::{PULSE_PORT, Pulse};
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::world::{Family, LISTED, UNLISTED};
use serde::Serialize;

use crate::changes::{random_entries, with_listed};
use crate::effort::Effort;
use crate::lists::List;
use crate::stage::{Stage, protected_port};

const SEED: u64 = 0x5eed_0001;

/// How the daemon came to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// Stopped in order, its kernel state still there.
    Stopped,
    /// Killed, its kernel state still there.
    Killed,
    /// Nothing in the kernel, as after a reboot.
    Cold,
}

/// One line of figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) family: &'static str,
    pub(crate) entries: usize,
    pub(crate) start: Start,
    /// From the start of the process to READY=1.
    pub(crate) ready_ms: Spread,
    /// Datagrams, one a millisecond, from before the end of the old process to
    /// after the start of the new one; none of a cold start.
    pub(crate) probes: u64,
    /// Of unlisted sources that got through, of listed ones that did not.
    pub(crate) wrong_verdicts: u64,
    pub(crate) longest_gap_ms: f64,
}

impl Start {
    const ALL: [Self; 3] = [Self::Stopped, Self::Killed, Self::Cold];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped and started",
            Self::Killed => "killed and started",
            Self::Cold => "cold start",
        }
    }
}

/// Measures the longest list of each family.
pub(crate) fn run(effort: &Effort) -> Result<Vec<Row>> {
    let entries = effort.sizes.iter().copied().max().unwrap_or(1);
    let mut rows = Vec::new();
    for family in Family::BOTH {
        let stage = Stage::new();
        let mut daemon = stage.start();
        let scopes = [protected_port(), format!("port={PULSE_PORT}")];
        let scopes = scopes.each_ref().map(String::as_str);
        let app = daemon.control().create_app("measured", &AppRules::new(&scopes), Mode::Enforce);
        let list = List::random(family, random_entries(entries), SEED);
        daemon.control().import(&app, &with_listed(&list), true);
        for start in Start::ALL {
            eprintln!("restart: {}, {entries} entries, IP{}", start.name(), family.name());
            let row;
            (row, daemon) = measure(effort, &stage, daemon, start, family, entries)?;
            rows.push(row);
        }
    }
    Ok(rows)
}

fn measure<'s>(
    effort: &Effort,
    stage: &'s Stage,
    mut daemon: Daemon<'s>,
    start: Start,
    family: Family,
    entries: usize,
) -> Result<(Row, Daemon<'s>)> {
    let pulse = (start != Start::Cold).then(|| Pulse::start(&stage.world, LISTED, &[UNLISTED]));
    let mut ready = Vec::new();
    for _ in 0..effort.repeats {
        let took;
        (took, daemon) = start_again(stage, daemon, start)?;
        ready.push(took);
    }
    let report = pulse.map(Pulse::finish).unwrap_or_default();
    let row = Row {
        family: family.name(),
        entries,
        start,
        ready_ms: Spread::of_ms(ready),
        probes: report.rounds,
        wrong_verdicts: report.missing + report.leaked,
        longest_gap_ms: report.longest_gap.as_secs_f64() * 1e3,
    };
    Ok((row, daemon))
}

fn start_again<'s>(
    stage: &'s Stage,
    daemon: Daemon<'s>,
    start: Start,
) -> Result<(Duration, Daemon<'s>)> {
    match start {
        Start::Stopped | Start::Cold => daemon.stop(),
        Start::Killed => daemon.kill(),
    };
    if start == Start::Cold {
        fs::remove_dir_all(stage.installation.pins().path())?;
    }
    let begin = Instant::now();
    let daemon = stage.start();
    Ok((begin.elapsed(), daemon))
}
