//! The tables for people.

use comfy_table::{Table, presets};
use filter_tests::measure::Spread;

use super::{EXPLAINED_BELOW, Report};
use crate::figure::Figure;
use crate::server::Server;

/// The figures, and what filterd asks of itself.
pub(super) fn text(report: &Report) -> String {
    format!(
        "{}\n\n== Proxies, one CPU each; in brackets the spread of {} rounds\n\n{}\n\n\
         == How much of that CPU their processes took\n\n{}\n\n\
         == What filterd asks of itself\n\n{}",
        report.machine.line(),
        report.effort.rounds,
        figures(report),
        busy(report),
        demands(report),
    )
}

fn figures(report: &Report) -> Table {
    let mut table = by_server("FILTERD BESIDE THE BETTER");
    for figure in Figure::ALL {
        let of = |server| {
            let row = report.row(server, figure);
            row.map_or_else(String::new, |row| whole(figure, row.value))
        };
        let ratio = report.row(Server::Filterd, figure).and_then(|row| row.ratio);
        let ratio = ratio.map_or_else(String::new, fraction);
        let cells = Server::ALL.into_iter().map(of);
        table.add_row([figure.title().to_owned()].into_iter().chain(cells).chain([ratio]));
    }
    table
}

fn busy(report: &Report) -> Table {
    let mut table = by_server("");
    for figure in Figure::ALL {
        let of = |server| report.row(server, figure).and_then(|row| row.busy);
        if of(Server::Filterd).is_none() {
            continue;
        }
        let cells =
            Server::ALL.into_iter().map(|server| of(server).map_or_else(String::new, fraction));
        table.add_row([figure.title().to_owned()].into_iter().chain(cells));
    }
    table
}

fn demands(report: &Report) -> Table {
    let mut table = empty();
    table.set_header(["WHAT", "LIMIT", "MEASURED", "", ""]);
    for demand in &report.demands {
        let is_low = demand.measured.is_some_and(|measured| measured < EXPLAINED_BELOW);
        let note = if is_low { "below 0.7: to be explained" } else { "" };
        table.add_row([
            demand.what.clone(),
            demand.limit(),
            demand.measured.map_or_else(|| "not measured".to_owned(), |m| format!("{m:.2}")),
            demand.outcome().to_owned(),
            note.to_owned(),
        ]);
    }
    table
}

fn by_server(last: &str) -> Table {
    let mut table = empty();
    let servers = Server::ALL.into_iter().map(|server| server.name().to_uppercase());
    table.set_header([String::new()].into_iter().chain(servers).chain([last.to_owned()]));
    table
}

fn empty() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// "median (least–most)", with a fraction where figures are small.
fn whole(figure: Figure, spread: Spread) -> String {
    let places = if figure.is_cost() { 1 } else { 0 };
    let Spread { median, least, most, .. } = spread;
    format!("{median:.places$} ({least:.places$}–{most:.places$})")
}

fn fraction(spread: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.least, spread.most)
}
