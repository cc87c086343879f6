//! Everything that was measured, for people and for machines.

mod chart;
mod demand;
mod markdown;
mod table;

use std::fs;

use anyhow::{Context as _, Result};
use filter_tests::measure::{Demand, Machine};
use serde::Serialize;

use crate::changes;
use crate::live;
use crate::lookup;
use crate::options::Options;
use crate::restart;
use crate::user_space;

/// The results of the parts that were asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) lookup: Vec<lookup::Row>,
    pub(crate) user_space: Vec<user_space::Row>,
    pub(crate) live: Vec<live::Row>,
    pub(crate) changes: Vec<changes::Row>,
    pub(crate) restart: Vec<restart::Row>,
    /// What could not be measured, and why.
    pub(crate) notes: Vec<String>,
    demands: Vec<Demand>,
}

impl Report {
    /// Nothing measured yet.
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            machine,
            lookup: Vec::new(),
            user_space: Vec::new(),
            live: Vec::new(),
            changes: Vec::new(),
            restart: Vec::new(),
            notes: Vec::new(),
            demands: Vec::new(),
        }
    }

    /// Holds the figures against what the project asks of itself.
    pub(crate) fn judge(&mut self) {
        self.demands = demand::all(self);
    }

    /// Prints the tables, and writes what the options ask for.
    pub(crate) fn show(&self, options: &Options) -> Result<()> {
        println!("{}", table::text(self));
        if let Some(path) = &options.json {
            fs::write(path, serde_json::to_string_pretty(self)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let Some(path) = &options.svg {
            chart::draw(self, path)?;
        }
        if let Some(path) = &options.markdown {
            fs::write(path, markdown::text(self))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
