//! The tables for people.

use comfy_table::{Table, presets};
use filter_tests::measure::Spread;

use super::Report;

/// Every table that has rows, with its title.
pub(super) fn text(report: &Report) -> String {
    let parts = [
        ("The program alone, ns a packet", lookup(report)),
        ("The table in user space, ns a look-up", user_space(report)),
        ("Frames over veth, ns a frame on one CPU, generator included", live(report)),
        ("Changes", changes(report)),
        ("Start and restart", restart(report)),
        ("What filterd asks of itself", demands(report)),
    ];
    let mut text = report.machine.line();
    for (title, table) in parts.into_iter().filter(|(_, table)| !table.is_empty()) {
        text.push_str(&format!("\n\n== {title}\n\n{table}"));
    }
    for note in &report.notes {
        text.push_str(&format!("\n\nNote: {}", note.trim_end()));
    }
    text
}

fn lookup(report: &Report) -> Table {
    let mut table = table([
        "APPS",
        "IP",
        "LIST",
        "ENTRIES",
        "SOURCES",
        "HARNESS",
        "WITH FILTERD",
        "FILTERD ALONE",
    ]);
    for row in &report.lookup {
        table.add_row([
            row.apps.to_string(),
            row.family.to_owned(),
            row.list.name().to_owned(),
            row.entries.to_string(),
            row.sources.name().to_owned(),
            whole(row.harness_ns),
            whole(row.ns),
            whole(row.net_ns),
        ]);
    }
    table
}

fn user_space(report: &Report) -> Table {
    let mut table = table(["IP", "LIST", "ENTRIES", "SOURCES", "NS"]);
    for row in &report.user_space {
        table.add_row([
            row.family.to_owned(),
            row.list.name().to_owned(),
            row.entries.to_string(),
            row.sources.name().to_owned(),
            fraction(row.ns),
        ]);
    }
    table
}

fn live(report: &Report) -> Table {
    let mut table =
        table(["FILTER", "IP", "LIST", "ENTRIES", "SOURCES", "NS", "× FLOOR", "REPEATED"]);
    for row in &report.live {
        table.add_row([
            row.filter.to_owned(),
            row.family.to_owned(),
            row.list.name().to_owned(),
            row.entries.to_string(),
            row.sources.name().to_owned(),
            whole(row.ns),
            fraction(row.ratio),
            row.repeated.to_string(),
        ]);
    }
    table
}

fn changes(report: &Report) -> Table {
    let mut table = table([
        "IP",
        "ENTRIES",
        "ONE IN FORCE, ms",
        "ANSWERED, ms",
        "ALL IN FORCE, ms",
        "ANSWERED, ms",
        "WRONG OF PROBES",
        "GAP (IDLE), ms",
        "KERNEL, MiB",
        "DAEMON, MiB",
    ]);
    for row in &report.changes {
        table.add_row([
            row.family.to_owned(),
            row.entries.to_string(),
            fraction(row.one_in_force_ms),
            fraction(row.one_answered_ms),
            whole(row.all_in_force_ms),
            whole(row.all_answered_ms),
            format!("{} of {}", row.wrong_verdicts, row.probes),
            format!("{:.1} ({:.1})", row.longest_gap_ms, row.idle_gap_ms),
            mebibytes(row.kernel_bytes),
            mebibytes(row.resident_bytes),
        ]);
    }
    table
}

fn restart(report: &Report) -> Table {
    let mut table = table(["IP", "ENTRIES", "START", "READY, ms", "WRONG OF PROBES", "GAP, ms"]);
    for row in &report.restart {
        let (wrong, gap) = match row.probes {
            0 => ("not probed".to_owned(), String::new()),
            probes => (
                format!("{} of {probes}", row.wrong_verdicts),
                format!("{:.1}", row.longest_gap_ms),
            ),
        };
        table.add_row([
            row.family.to_owned(),
            row.entries.to_string(),
            row.start.name().to_owned(),
            whole(row.ready_ms),
            wrong,
            gap,
        ]);
    }
    table
}

fn demands(report: &Report) -> Table {
    let mut table = table(["WHAT", "LIMIT", "MEASURED", ""]);
    for demand in &report.demands {
        table.add_row([
            demand.what.clone(),
            demand.limit(),
            demand.measured.map_or_else(|| "not measured".to_owned(), |m| format!("{m:.2}")),
            demand.outcome().to_owned(),
        ]);
    }
    table
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table
}

/// "median (least–most)", without and with a fraction.
fn whole(spread: Spread) -> String {
    format!("{:.0} ({:.0}–{:.0})", spread.median, spread.least, spread.most)
}

fn fraction(spread: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.least, spread.most)
}

/// With a fraction.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}
