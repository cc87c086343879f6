//! The tables of the README: a column a size, a row a filter.

use filter_tests::measure::markdown::{Cells, demands, section, thousands, with_head};
use filter_tests::world::Family;

use super::Report;
use super::table::mebibytes;
use crate::lists::Origin;
use crate::live::Row;
use crate::sources::Sources;

/// All of it, from the machine to the last table.
pub(super) fn text(report: &Report) -> String {
    let mut text = format!("{}.\n", report.machine.line());
    for family in Family::BOTH {
        let number = if family.is_v6() { 6 } else { 4 };
        section(
            &mut text,
            &format!("IPv{number}: ns a frame on one CPU, generator included, and × floor"),
            &live(report, family),
        );
    }
    section(&mut text, "Changes, both families", &changes(report));
    section(&mut text, "Start and restart", &restart(report));
    section(&mut text, "The table in user space that the proxy asks", &user_space(report));
    section(&mut text, "What filterd asks of itself", &demands(&report.demands));
    text
}

/// A column of the table: what was sent at which list.
#[derive(Clone, Copy, PartialEq)]
struct Column {
    list: Origin,
    entries: usize,
    sources: Sources,
}

impl Column {
    fn of(row: &Row) -> Self {
        Self { list: row.list, entries: row.entries, sources: row.sources }
    }

    fn title(self) -> String {
        let list = match self.list {
            Origin::Random | Origin::Bare => thousands(self.entries),
            Origin::Table | Origin::Aggregated => {
                format!("{}, {}", self.list.name(), thousands(self.entries))
            }
        };
        match self.sources {
            Sources::Adversarial => format!("{list}, adversarial"),
            Sources::Anywhere | Sources::Unlisted | Sources::Listed => list,
        }
    }

    /// Adversarial sources are shown for the longest list of a kind alone.
    fn is_shown(self, all: &[Self]) -> bool {
        let longer = |other: &Self| other.list == self.list && other.entries > self.entries;
        self.sources == Sources::Unlisted || !all.iter().any(longer)
    }
}

fn live(report: &Report, family: Family) -> Cells {
    let rows: Vec<&Row> = report.live.iter().filter(|row| row.family == family.name()).collect();
    let mut columns: Vec<Column> = Vec::new();
    let mut filters: Vec<&str> = Vec::new();
    for row in &rows {
        if !columns.contains(&Column::of(row)) {
            columns.push(Column::of(row));
        }
        if !filters.contains(&row.filter) {
            filters.push(row.filter);
        }
    }
    let shown: Vec<Column> =
        columns.iter().copied().filter(|column| column.is_shown(&columns)).collect();
    let head = std::iter::once("entries".to_owned());
    let mut cells = vec![head.chain(shown.iter().map(|column| column.title())).collect()];
    for filter in filters {
        let figures = shown.iter().map(|column| {
            let mut of = rows.iter().filter(|r| r.filter == filter && Column::of(r) == *column);
            of.next().map_or_else(String::new, |row| {
                format!("{:.0} ({:.2})", row.ns.median, row.ratio.median)
            })
        });
        cells.push(std::iter::once(filter.to_owned()).chain(figures).collect());
    }
    cells
}

fn changes(report: &Report) -> Cells {
    let head = [
        "entries",
        "family",
        "one entry in force, ms",
        "whole list in force, ms",
        "wrong verdicts of probes",
        "longest gap, ms",
        "kernel, MiB",
        "daemon, MiB",
    ];
    let rows = report.changes.iter().map(|row| {
        vec![
            thousands(row.entries),
            row.family.to_owned(),
            format!("{:.2}", row.one_in_force_ms.median),
            format!("{:.0}", row.all_in_force_ms.median),
            format!("{} of {}", row.wrong_verdicts, row.probes),
            format!("{:.1}", row.longest_gap_ms),
            mebibytes(row.kernel_bytes),
            mebibytes(row.resident_bytes),
        ]
    });
    with_head(&head, rows)
}

fn restart(report: &Report) -> Cells {
    let head = ["entries", "family", "start", "ready, ms", "wrong verdicts of probes"];
    let rows = report.restart.iter().map(|row| {
        vec![
            thousands(row.entries),
            row.family.to_owned(),
            row.start.name().to_owned(),
            format!("{:.0}", row.ready_ms.median),
            match row.probes {
                0 => String::new(),
                probes => format!("{} of {probes}", row.wrong_verdicts),
            },
        ]
    });
    with_head(&head, rows)
}

fn user_space(report: &Report) -> Cells {
    let rows = report.user_space.iter().map(|row| {
        vec![
            thousands(row.entries),
            row.family.to_owned(),
            row.list.name().to_owned(),
            row.sources.name().to_owned(),
            format!("{:.1}", row.ns.median),
        ]
    });
    with_head(&["entries", "family", "list", "sources", "ns a look-up"], rows)
}
