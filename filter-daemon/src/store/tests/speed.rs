//! A change of one entry costs what the entry costs, whatever the length of
//! its list.

use super::super::change::work_out;
use super::super::fresh::Fresh;
use super::*;

const MANY: u32 = 100_000;

fn many() -> Vec<NewEntry> {
    (0..MANY).map(|n| entry(&std::net::Ipv4Addr::from(0x0b00_0000 + n).to_string())).collect()
}

/// The shortest of some runs: what the work itself takes.
fn shortest(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..200).map(|_| time(&mut run)).min().expect("some runs")
}

#[test]
fn one_entry_costs_the_same_on_a_long_list() {
    let mut bench = Bench::new();
    let (short, long) = (bench.app("short"), {
        let (outcome, _) = bench.execute(bench.new_app("long", "port=1")).expect("new");
        let Outcome::App(app) = outcome else { panic!("{outcome:?}") };
        AppRef { group: app.group, app: app.id }
    });
    let command = Command::ImportEntries { app: long, entries: many(), replace: true };
    bench.execute(command).expect("imported");
    let state = bench.state();
    let cost = |app| {
        shortest(|| {
            let fresh = Fresh { next_number: MANY * 2, now: 0 };
            let change = work_out(&state, create(app, "::1"), &LIMITS, fresh).expect("new");
            assert_eq!(change.rows.len(), 2);
        })
    };
    let (short, long) = (cost(short), cost(long));
    assert!(long < Duration::from_millis(1), "{long:?}");
    println!("one entry: {short:?} on an empty list, {long:?} on one of {MANY}");
    let before = bench.state();
    assert!(*bench.reopen() == *before);
}
