//! What the project asks of its own figures. Each is looked for among what was
//! measured; a demand whose rows are missing is shown as not measured.

use filter_tests::measure::Demand;
use filter_tests::world::Family;

use super::Report;
use crate::lists::Origin;
use crate::live::{self, FILTERD, NETWORK_PEERS, Row, XDP_FILTER};
use crate::restart::Start;
use crate::sources::Sources;

const MANY: usize = 100_000;
const MOST: usize = 1_000_000;
/// How many addresses xdp-filter holds, and from where filterd is to be faster.
const XDP_FILTER_HOLDS: usize = 10_000;

/// All of them, for the parts that were measured.
pub(super) fn all(report: &Report) -> Vec<Demand> {
    let mut demands = Vec::new();
    if !report.user_space.is_empty() {
        demands.push(user_space(report));
    }
    if !report.live.is_empty() {
        demands.extend(cost(&report.live));
        demands.extend(peers(&report.live));
    }
    if !report.changes.is_empty() {
        demands.extend(changes(report));
    }
    if !report.restart.is_empty() {
        demands.extend(restart(report));
    }
    demands
}

/// filterd's own rows on unlisted random sources.
fn ours(rows: &[Row], family: Family) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |row| {
        row.filter == FILTERD && row.family == family.name() && row.sources == Sources::Unlisted
    })
}

fn cost(rows: &[Row]) -> [Demand; 5] {
    let random = |entries| {
        let of_v4 = ours(rows, Family::V4);
        let mut of_v4 = of_v4.filter(move |r| r.list == Origin::Random && r.entries == entries);
        of_v4.next().map(|row| row.ratio.median)
    };
    let table = ours(rows, Family::V6).filter(|row| row.list == Origin::Table);
    let near = rows.iter().filter(|r| r.filter == FILTERD && r.sources == Sources::Adversarial);
    let host_wide = rows.iter().filter(|row| row.filter == live::HOST_WIDE);
    [
        Demand::at_most("a million IPv4 entries, × floor", 1.5, random(MOST)),
        Demand::at_most(
            "a million IPv4 entries, × our cost at one entry",
            1.3,
            random(MOST).zip(random(1)).map(|(most, one)| most / one),
        ),
        Demand::at_most("the IPv6 routing table, × floor", 2.0, table.map(|row| row.ratio.median)),
        Demand::at_most("adversarial sources, × floor", 3.0, near.map(|row| row.ratio.median)),
        Demand {
            what: "a host-wide app with its reply look-up, × floor".to_owned(),
            at_most: None,
            at_least: None,
            measured: host_wide.map(|row| row.ratio.median).reduce(f64::max),
        },
    ]
}

fn peers(rows: &[Row]) -> [Demand; 4] {
    let best = |row: &Row| against(rows, row, &NETWORK_PEERS);
    let ours: Vec<&Row> = rows.iter().filter(|row| row.filter == FILTERD).collect();
    let long = ours.iter().filter(|row| row.entries >= MANY);
    let xdp_filter = |fits: fn(usize) -> bool| {
        let fitting = ours.iter().filter(move |row| fits(row.entries));
        fitting.filter_map(|row| against(rows, row, &[XDP_FILTER]).map(|times| 1.0 / times))
    };
    [
        Demand::at_least(
            "times as fast as the best of nftables and ipset, any size",
            1.0,
            ours.iter().filter_map(|row| best(row)),
        ),
        Demand::at_least(
            "the same, from 100,000 entries on",
            3.0,
            long.filter_map(|row| best(row)),
        ),
        Demand::at_most("10,000 entries, × xdp-filter", 1.0, xdp_filter(|n| n == XDP_FILTER_HOLDS)),
        Demand::at_most("fewer entries, × xdp-filter", 1.2, xdp_filter(|n| n < XDP_FILTER_HOLDS)),
    ]
}

/// How many times as long the fastest of some filters takes with the same list
/// and sources.
fn against(rows: &[Row], ours: &Row, filters: &[&str]) -> Option<f64> {
    let same = rows.iter().filter(|row| {
        filters.contains(&row.filter)
            && (row.family, row.list, row.entries, row.sources)
                == (ours.family, ours.list, ours.entries, ours.sources)
    });
    same.map(|row| row.ns.median / ours.ns.median).reduce(f64::min)
}

fn user_space(report: &Report) -> Demand {
    let rows = report.user_space.iter().filter(|row| row.entries == MANY);
    Demand::at_most(
        "a look-up in user space among 100,000 entries, ns",
        50.0,
        rows.map(|row| row.ns.median),
    )
}

fn changes(report: &Report) -> [Demand; 5] {
    let of = |entries| report.changes.iter().filter(move |row| row.entries == entries);
    let seconds = |ms: f64| ms / 1e3;
    [
        Demand::at_most(
            "one entry among a million, ms to its effect",
            10.0,
            of(MOST).map(|row| row.one_in_force_ms.most),
        ),
        Demand::at_most(
            "100,000 entries replaced, s to their effect",
            1.0,
            of(MANY).map(|row| seconds(row.all_in_force_ms.most)),
        ),
        Demand::at_most(
            "a million entries replaced, s to their effect",
            5.0,
            of(MOST).map(|row| seconds(row.all_in_force_ms.most)),
        ),
        Demand::at_most(
            "wrong verdicts while lists are replaced",
            0.0,
            report.changes.iter().map(|row| count(row.wrong_verdicts)),
        ),
        Demand::at_most(
            "longest gap of a 1 kHz probe meanwhile, ms",
            5.0,
            report.changes.iter().map(|row| row.longest_gap_ms),
        ),
    ]
}

fn restart(report: &Report) -> [Demand; 2] {
    let of = report.restart.iter().filter(|r| r.entries == MOST && r.start != Start::Cold);
    [
        Demand::at_most(
            "ready again with a million entries, s",
            3.0,
            of.map(|row| row.ready_ms.most / 1e3),
        ),
        Demand::at_most(
            "wrong verdicts while the daemon is away",
            0.0,
            report.restart.iter().map(|row| count(row.wrong_verdicts)),
        ),
    ]
}

fn count(verdicts: u64) -> f64 {
    u32::try_from(verdicts).map_or(f64::INFINITY, f64::from)
}
