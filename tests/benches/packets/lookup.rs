//! The program alone, by BPF_PROG_TEST_RUN: what a verdict costs without a
//! device, a queue or a stack around it.

use anyhow::{Result, bail};
use filter_tests::daemon::{AppPath, Control};
use filter_tests::measure::{Spread, cpu};
use filter_tests::namespace::Namespace;
use filter_tests::scenario::{AppRules, Mode, PORT};
use filter_tests::test_run::Action;
use filter_tests::world::Family;
use serde::Serialize;

use crate::effort::Effort;
use crate::lists::{List, Origin};
use crate::object::{BenchObject, draws};
use crate::sources::Sources;
use crate::stage::{Stage, protected_port};

/// How many apps there are: the measured one, and others that are asked first.
const APPS: [u16; 2] = [1, 64];

/// One line of figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) apps: u16,
    pub(crate) family: &'static str,
    pub(crate) list: Origin,
    pub(crate) entries: usize,
    pub(crate) sources: Sources,
    /// Nanoseconds of the harness with a program that drops.
    pub(crate) harness_ns: Spread,
    /// Nanoseconds of the harness with filterd's program.
    pub(crate) ns: Spread,
    /// What filterd's program costs more than one that drops.
    pub(crate) net_ns: Spread,
}

/// Measures every list of both families.
pub(crate) fn run(effort: &Effort, object: &mut BenchObject) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for apps in APPS {
        let stage = Stage::new();
        let daemon = stage.start();
        let app = create_apps(&daemon.control(), apps);
        for family in Family::BOTH {
            for list in effort.lists(family) {
                eprintln!("lookup: {apps} apps, {list}");
                daemon.control().import(&app, &list.texts(), true);
                for sources in [Sources::Anywhere, Sources::Listed, Sources::Adversarial] {
                    rows.extend(measure(effort, object, &stage, apps, &list, sources)?);
                }
            }
        }
    }
    Ok(rows)
}

/// The measured app is the last one whose scope is asked: its port is highest.
fn create_apps(control: &Control, apps: u16) -> AppPath {
    for below in 1..apps {
        let rules = AppRules {
            list: vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()],
            ..AppRules::new(&[&format!("port={}", PORT - below)])
        };
        control.create_app(&format!("other{below}"), &rules, Mode::Enforce);
    }
    control.create_app("measured", &AppRules::new(&[&protected_port()]), Mode::Enforce)
}

/// Rounds of the harness alone and of filterd's program, by turns.
fn measure(
    effort: &Effort,
    object: &mut BenchObject,
    stage: &Stage,
    apps: u16,
    list: &List,
    sources: Sources,
) -> Result<Option<Row>> {
    let Some(drawn) = sources.draw(list, &[], draws(list.family)) else { return Ok(None) };
    object.fill(&drawn)?;
    let pin = stage.pin("program");
    let expected = match sources {
        Sources::Listed => Some(Action::Pass),
        Sources::Unlisted | Sources::Adversarial => Some(Action::Drop),
        Sources::Anywhere => None,
    };
    let (mut harness, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        object.test_floor()?;
        harness.push(run_once(effort, object, &stage.world.host, list.family, Some(Action::Drop))?);
        object.test_pinned(&pin)?;
        ours.push(run_once(effort, object, &stage.world.host, list.family, expected)?);
    }
    Ok(Some(Row {
        apps,
        family: list.family.name(),
        list: list.origin,
        entries: list.networks.len(),
        sources,
        harness_ns: Spread::of(harness.iter().copied()),
        ns: Spread::of(ours.iter().copied()),
        net_ns: Spread::of(ours.iter().zip(&harness).map(|(ours, harness)| ours - harness)),
    }))
}

fn run_once(
    effort: &Effort,
    object: &mut BenchObject,
    host: &Namespace,
    family: Family,
    expected: Option<Action>,
) -> Result<f64> {
    let (took, action) = host.run(|| {
        cpu::stay_on(cpu::MEASURED);
        object.run_alone(family, effort.frames)
    })?;
    let fits = matches!(action, Action::Drop | Action::Pass)
        && expected.is_none_or(|expected| expected == action);
    if !fits {
        bail!("the program answered {action:?}, not {expected:?}");
    }
    Ok(took.as_secs_f64() * 1e9)
}
