//! Everything that was measured, for people and for machines.

mod markdown;
mod table;

use std::fs;

use anyhow::{Context as _, Result};
use filter_tests::measure::{Demand, Machine, Spread};
use serde::Serialize;

use crate::effort::Effort;
use crate::figure::Figure;
use crate::options::Options;
use crate::round::Round;
use crate::server::Server;

/// What filterd asks of itself, beside the better of the others.
const AIM: f64 = 1.0;

/// What is worse than this has to be explained.
const EXPLAINED_BELOW: f64 = 0.7;

/// The results.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    effort: Effort,
    rows: Vec<Row>,
    demands: Vec<Demand>,
}

/// A figure of a server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    server: Server,
    figure: Figure,
    value: Spread,
    /// How much of one CPU the server's processes took.
    busy: Option<Spread>,
    /// How many times as good as the better of the two others in the same round.
    ratio: Option<Spread>,
}

impl Report {
    pub(crate) fn new(machine: Machine, effort: Effort, rounds: &[Round]) -> Result<Self> {
        let mut rows = Vec::new();
        for figure in Figure::ALL {
            for server in Server::ALL {
                rows.extend(row(rounds, server, figure)?);
            }
        }
        let demands = demands(&rows);
        Ok(Self { machine, effort, rows, demands })
    }

    /// Prints the tables, and writes what the options ask for.
    pub(crate) fn show(&self, options: &Options) -> Result<()> {
        println!("{}", table::text(self));
        if let Some(path) = &options.json {
            write(path, &serde_json::to_string_pretty(self)?)?;
        }
        if let Some(path) = &options.markdown {
            write(path, &markdown::text(self))?;
        }
        Ok(())
    }

    fn row(&self, server: Server, figure: Figure) -> Option<&Row> {
        self.rows.iter().find(|row| row.server == server && row.figure == figure)
    }
}

fn write(path: &std::path::Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn row(rounds: &[Round], server: Server, figure: Figure) -> Result<Option<Row>> {
    let samples = rounds.iter().flat_map(|round| &round.samples);
    let samples: Vec<_> =
        samples.filter(|sample| sample.server == server && sample.figure == figure).collect();
    if samples.is_empty() {
        return Ok(None);
    }
    let value = Spread::of(samples.iter().map(|sample| sample.value));
    let busy: Vec<f64> = samples.iter().filter_map(|sample| sample.busy).collect();
    let busy = (!busy.is_empty()).then(|| Spread::of(busy));
    let ratio = match server {
        Server::Filterd => Some(beside_the_better(rounds, figure)?),
        Server::Upstream | Server::Alone | Server::Nginx | Server::Haproxy => None,
    };
    Ok(Some(Row { server, figure, value, busy, ratio }))
}

fn beside_the_better(rounds: &[Round], figure: Figure) -> Result<Spread> {
    let ratio = |round: &Round| {
        let ours = round.value(Server::Filterd, figure)?;
        let peers = Server::PEERS.into_iter().filter_map(|peer| round.value(peer, figure));
        peers.map(|theirs| figure.ratio(ours, theirs)).reduce(f64::min)
    };
    let ratios: Option<Vec<f64>> = rounds.iter().map(ratio).collect();
    Ok(Spread::of(ratios.context("every round measures all proxies")?))
}

fn demands(rows: &[Row]) -> Vec<Demand> {
    let ours = rows.iter().filter(|row| row.figure.is_equal_work());
    let ours = ours.filter_map(|row| Some((row.figure, row.ratio?.median)));
    ours.map(|(figure, ratio)| {
        let what = format!("{}: times as good as the better of nginx and HAProxy", figure.title());
        Demand::at_least(&what, AIM, [ratio])
    })
    .collect()
}
