//! The tables of the README.

use filter_tests::measure::Spread;
use filter_tests::measure::markdown::{Cells, demands, section, thousands, with_head};

use super::Report;
use crate::figure::Figure;
use crate::server::Server;

/// All of it, from the machine to the last table.
pub(super) fn text(report: &Report) -> String {
    let mut text = format!("{}.\n", report.machine.line());
    let title = format!(
        "Medians of {} rounds, and filterd beside the better of the two (above 1 is better)",
        report.effort.rounds
    );
    section(&mut text, &title, &figures(report));
    section(&mut text, "How much of that CPU the servers took", &busy(report));
    section(&mut text, "What filterd asks of itself", &demands(&report.demands));
    text
}

fn figures(report: &Report) -> Cells {
    let mut head = vec![""];
    head.extend(Server::ALL.map(Server::name));
    head.push("filterd beside the better");
    let rows = Figure::ALL.into_iter().map(|figure| {
        let of = |server| {
            let row = report.row(server, figure);
            row.map_or_else(String::new, |row| number(figure, row.value.median))
        };
        let ratio = report.row(Server::Filterd, figure).and_then(|row| row.ratio);
        let ratio = ratio.map_or_else(String::new, beside);
        let title = figure.title().to_owned();
        [title].into_iter().chain(Server::ALL.into_iter().map(of)).chain([ratio]).collect()
    });
    with_head(&head, rows)
}

/// A server that takes much less than all of it waits for the load, or for a
/// machine that does something else.
fn busy(report: &Report) -> Cells {
    let servers = [Server::Nginx, Server::Haproxy, Server::Filterd];
    let head: Vec<&str> = [""].into_iter().chain(servers.map(Server::name)).collect();
    let rows = Figure::ALL.into_iter().filter_map(|figure| {
        let of = |server| Some(format!("{:.2}", report.row(server, figure)?.busy?.median));
        let shares: Option<Vec<String>> = servers.into_iter().map(of).collect();
        Some([figure.title().to_owned()].into_iter().chain(shares?).collect())
    });
    with_head(&head, rows)
}

fn number(figure: Figure, value: f64) -> String {
    if figure.is_cost() {
        return format!("{value:.1}");
    }
    format!("{value:.0}").parse().map_or_else(|_| String::new(), thousands)
}

fn beside(ratio: Spread) -> String {
    format!("**{:.2}** ({:.2}–{:.2})", ratio.median, ratio.least, ratio.most)
}
