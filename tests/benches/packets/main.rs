//! The packet tier of the benchmark: what a verdict costs, beside others, and
//! how fast a change is in force.
//!
//! Run by `cargo xtask bench`, which builds and installs what it needs. Owns
//! lists, sources, filters and the measuring; nothing of it is shipped. Works
//! in namespaces of its own and leaves nothing behind.

mod changes;
mod cover;
mod effort;
mod kernel_memory;
mod lists;
mod live;
mod lookup;
mod object;
mod options;
mod prober;
mod report;
mod restart;
mod sources;
mod stage;
mod user_space;

use anyhow::Result;
use clap::Parser as _;
use filter_tests::measure::Machine;
use filter_tests::world::Family;

use effort::Effort;
use lists::List;
use object::BenchObject;
use options::{Options, Part};
use report::Report;

/// Debian's packages of the other filters.
const PEERS: [&str; 4] = ["nftables", "ipset", "iptables", "xdp-tools"];

fn main() -> Result<()> {
    let options = Options::parse();
    let mut report = Report::new(Machine::here(&options.commit, options.quick, &PEERS));
    let effort = Effort::new(&options, tables(&options, &mut report)?);
    let mut object = BenchObject::load(&options.object)?;
    if options.wants(Part::Lookup) {
        report.lookup = lookup::run(&effort, &mut object)?;
    }
    if options.wants(Part::UserSpace) {
        report.user_space = user_space::run(&effort)?;
    }
    if options.wants(Part::Live) {
        let live = live::run(&effort, &mut object)?;
        report.live = live.rows;
        report.notes.extend(live.notes);
    }
    if options.wants(Part::Changes) {
        report.changes = changes::run(&effort)?;
    }
    if options.wants(Part::Restart) {
        report.restart = restart::run(&effort)?;
    }
    report.judge();
    report.show(&options)
}

/// The routing table of both families, where there is one.
fn tables(options: &Options, report: &mut Report) -> Result<Vec<List>> {
    let Some(path) = &options.table else {
        report.notes.push("there is no routing table here: its rows are missing".to_owned());
        return Ok(Vec::new());
    };
    let mut tables = Vec::new();
    for family in Family::BOTH {
        tables.extend(List::table(path, family)?);
    }
    Ok(tables)
}
