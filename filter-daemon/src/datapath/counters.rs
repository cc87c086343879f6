//! Reading what the program counts, summed over all CPUs.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use aya::maps::{Map, MapData, PerCpuArray};
use filter_common::counter::{Counter, counter_cell};
use filter_common::event::EventBudget;
use filter_common::generation::MAX_APPS;
use filter_common::hit::Hit;
use filter_common::reason::Reason;
use filter_common::verdict::Verdict;

use super::DatapathError;
use super::hits::HitTable;
use super::world::{open_counters, open_map};
use crate::observe::{CounterRow, KernelCounts, Unseen};

const BUDGET: &str = "EVENT_BUDGET";

/// Reads the counters. Cheap to clone.
#[derive(Clone)]
pub struct CounterReader(Arc<Maps>);

struct Maps {
    counters: PerCpuArray<MapData, Counter>,
    budget: PerCpuArray<MapData, EventBudget>,
    hits: HitTable,
}

impl CounterReader {
    pub(super) fn open(directory: &Path, hits: HitTable) -> Result<Self, DatapathError> {
        let budget = PerCpuArray::try_from(Map::PerCpuArray(open_map(directory, BUDGET)?))
            .map_err(DatapathError::map("open", BUDGET))?;
        Ok(Self(Arc::new(Maps { counters: open_counters(directory)?, budget, hits })))
    }

    /// Every counter that is not zero, by app, reason and verdict.
    pub fn read(&self) -> Result<Vec<CounterRow>, DatapathError> {
        let apps = 0..u32::try_from(MAX_APPS).unwrap_or(0);
        let cells = apps.flat_map(|app| Reason::ALL.map(|reason| (app, reason)));
        let cells =
            cells.flat_map(|(app, reason)| Verdict::ALL.map(|verdict| (app, reason, verdict)));
        let rows = cells.map(|(app, reason, verdict)| self.read_cell(app, reason, verdict));
        rows.filter(|row| !matches!(row, Ok(row) if row.packets == 0)).collect()
    }

    fn read_cell(
        &self,
        app: u32,
        reason: Reason,
        verdict: Verdict,
    ) -> Result<CounterRow, DatapathError> {
        let cell = counter_cell(app, reason, verdict);
        let values =
            self.0.counters.get(&cell, 0).map_err(DatapathError::map("read", "COUNTERS"))?;
        let sum = values.iter().fold(Counter::default(), |sum, cpu| Counter {
            packets: sum.packets.wrapping_add(cpu.packets),
            bytes: sum.bytes.wrapping_add(cpu.bytes),
        });
        Ok(CounterRow { app, reason, verdict, packets: sum.packets, bytes: sum.bytes })
    }
}

impl KernelCounts for CounterReader {
    fn counters(&self) -> Result<Vec<CounterRow>, DatapathError> {
        self.read()
    }

    fn hits(&self) -> Result<HashMap<u32, Hit>, DatapathError> {
        self.0.hits.read()
    }

    fn unseen(&self) -> Result<Unseen, DatapathError> {
        let values = self.0.budget.get(&0, 0).map_err(DatapathError::map("read", BUDGET))?;
        Ok(values.iter().fold(Unseen::default(), |sum, cpu| Unseen {
            unsampled: sum.unsampled.wrapping_add(cpu.suppressed),
            lost: sum.lost.wrapping_add(cpu.lost),
        }))
    }
}
