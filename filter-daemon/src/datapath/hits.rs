//! What the program counted of single entries: read, and forgotten once an
//! entry is gone.

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;

use aya::maps::{IterableMap as _, Map, MapData, PerCpuHashMap};
use filter_common::hit::Hit;

use super::syscall;
use super::world::open_map;
use super::{DatapathError, file_error};

const HITS: &str = "HITS";

/// The hits of every entry that was hit. Cheap to clone.
#[derive(Clone)]
pub struct HitTable(Arc<PerCpuHashMap<MapData, u32, Hit>>);

impl HitTable {
    pub(super) fn open(directory: &Path) -> Result<Self, DatapathError> {
        let map = PerCpuHashMap::try_from(Map::PerCpuHashMap(open_map(directory, HITS)?));
        Ok(Self(Arc::new(map.map_err(DatapathError::map("open", HITS))?)))
    }

    /// The hits by the entry's number, summed over all CPUs.
    pub fn read(&self) -> Result<HashMap<u32, Hit>, DatapathError> {
        let hits = self.0.iter().map(|hit| hit.map(|(entry, cpus)| (entry, sum(&cpus))));
        hits.collect::<Result<_, _>>().map_err(DatapathError::map("read", HITS))
    }

    /// The numbers of the entries that were hit.
    pub fn entries(&self) -> Result<Vec<u32>, DatapathError> {
        let entries = self.0.keys().collect::<Result<_, _>>();
        entries.map_err(DatapathError::map("read", HITS))
    }

    /// Makes room that entries took which are gone.
    pub fn forget(&self, entries: &[u32]) -> Result<(), DatapathError> {
        let map = self.0.map().fd().as_fd();
        for entry in entries {
            syscall::delete_element(map, *entry).map_err(file_error("clear", Path::new(HITS)))?;
        }
        Ok(())
    }
}

fn sum(cpus: &[Hit]) -> Hit {
    cpus.iter().fold(Hit::default(), |sum, cpu| Hit {
        packets: sum.packets.wrapping_add(cpu.packets),
        last_ns: sum.last_ns.max(cpu.last_ns),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hit_of_all_cpus_counts() {
        let cpus = [(2, 70), (0, 0), (3, 50)].map(|(packets, last_ns)| Hit { packets, last_ns });
        assert_eq!(sum(&cpus), Hit { packets: 5, last_ns: 70 });
    }
}
