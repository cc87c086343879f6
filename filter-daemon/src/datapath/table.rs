//! One table in front of a trie, in the kernel.
//!
//! Owns which cells are used and which are free. A table follows its trie by
//! halves: before a prefix changes, the parts that it touches are set to "ask
//! the trie"; later they are compiled anew. In between, and for ever if the
//! daemon dies, the trie answers for them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::os::fd::AsFd as _;

use aya::maps::{Array, IterableMap as _, MapData, MapError};
use filter_common::poptrie::{
    Cell, FIRST_CELL, ROOT_ADMITTED, ROOT_ASK, ROOT_REFUSED, TABLE_MAP_FLAGS,
};

use super::mapping::Mapping;
use crate::access_list::PrefixTable;
use crate::policy::poptrie::{Net, Part, compile, compile_part, parts_of};

/// Behind the root, before the regions: its `base` says where cells begin that
/// were never used. No packet looks at it.
const HEADER: u32 = FIRST_CELL;

/// The fewest cells that are kept free for changes.
const SPARE_CELLS: usize = 4096;

/// One table in front of a trie.
pub(super) struct Table {
    map: Array<MapData, Cell>,
    memory: Mapping,
    /// From here on no cell was ever used.
    end: u32,
    /// Cells that may be written to.
    free: Vec<Range<u32>>,
    /// Cells that a packet may still be looking at.
    retired: Vec<Range<u32>>,
    /// The regions by their root word, as far as this daemon wrote them.
    regions: BTreeMap<u32, Range<u32>>,
    /// Root words that ask the trie because a prefix has changed.
    stale: BTreeSet<u32>,
}

/// How far mending got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mended {
    /// Nothing is stale.
    All,
    /// There is more to do.
    Some,
    /// There is more to do, and no room for it.
    Full,
}

impl Table {
    /// Makes the table of a list; it is in force nowhere yet.
    pub(super) fn build<N: Net>(prefixes: &PrefixTable<N>) -> Result<Self, MapError> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut root: Vec<(u32, u32)> = Vec::new();
        let mut regions = BTreeMap::new();
        let first = HEADER + 1;
        compile(prefixes, |word, part| {
            let start = first + index(cells.len());
            root.push((word, value(&part, start)));
            if let Part::Region(region) = part {
                regions.insert(word, start..start + index(region.len()));
                cells.extend(region);
            }
        });
        let spare = SPARE_CELLS + cells.len() / 4;
        let count = first + index(cells.len() + spare);
        let mut table = Self::over(Array::create(count, TABLE_MAP_FLAGS)?, count)?;
        for word in 0..filter_common::poptrie::ROOT_WORDS {
            table.memory.set_root(word, ROOT_REFUSED);
        }
        table.memory.write(first, &cells);
        table.set_end(first + index(cells.len()));
        root.into_iter().for_each(|(word, value)| table.memory.set_root(word, value));
        Ok(Self { regions, ..table })
    }

    /// Takes over the table that an earlier daemon left in front of a trie.
    pub(super) fn adopt(map: Array<MapData, Cell>) -> Result<Self, MapError> {
        let count = map.len();
        let mut table = Self::over(map, count)?;
        table.end = table.memory.cells(HEADER, 1)[0].base;
        Ok(table)
    }

    fn over(map: Array<MapData, Cell>, count: u32) -> Result<Self, MapError> {
        let memory = Mapping::new(map.map().fd().as_fd(), count).map_err(MapError::IoError)?;
        Ok(Self {
            map,
            memory,
            end: HEADER + 1,
            free: Vec::new(),
            retired: Vec::new(),
            regions: BTreeMap::new(),
            stale: BTreeSet::new(),
        })
    }

    /// Its map.
    pub(super) fn map(&self) -> &Array<MapData, Cell> {
        &self.map
    }

    /// Bytes that it takes in the kernel.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.memory.count()) * size_of::<Cell>() as u64
    }

    /// Lets the trie answer for all that a prefix touches.
    pub(super) fn doubt<N: Net>(&mut self, net: N) {
        for word in parts_of(net) {
            self.memory.set_root(word, ROOT_ASK);
            self.stale.insert(word);
        }
    }

    /// Compiles stale parts anew, as many as are given.
    pub(super) fn mend<N: Net>(&mut self, prefixes: &PrefixTable<N>, parts: usize) -> Mended {
        for _ in 0..parts {
            let Some(word) = self.stale.first().copied() else { return Mended::All };
            let part = compile_part(prefixes, word);
            let Some(start) = self.place(&part) else { return Mended::Full };
            self.memory.set_root(word, value(&part, start));
            let region = match &part {
                Part::Region(cells) => {
                    self.regions.insert(word, start..start + index(cells.len()))
                }
                Part::Ask | Part::Refused | Part::Admitted => self.regions.remove(&word),
            };
            self.retired.extend(region);
            self.stale.remove(&word);
        }
        if self.stale.is_empty() { Mended::All } else { Mended::Some }
    }

    /// Makes free what mending has replaced. No packet may look at it any
    /// more.
    pub(super) fn reclaim(&mut self) {
        self.free.append(&mut self.retired);
        self.free.sort_by_key(|range| range.start);
        self.free.dedup_by(|later, earlier| {
            let adjoins = earlier.end == later.start;
            if adjoins {
                earlier.end = later.end;
            }
            adjoins
        });
    }

    /// Writes a region where there is room for it.
    fn place(&mut self, part: &Part) -> Option<u32> {
        let Part::Region(cells) = part else { return Some(0) };
        let count = index(cells.len());
        let start = match self.free.iter_mut().find(|range| range.len() >= cells.len()) {
            Some(range) => {
                range.start += count;
                range.start - count
            }
            None if self.memory.count() - self.end >= count => {
                let start = self.end;
                self.set_end(start + count);
                start
            }
            None => return None,
        };
        self.memory.write(start, cells);
        Some(start)
    }

    fn set_end(&mut self, end: u32) {
        self.end = end;
        self.memory.write(HEADER, &[Cell { base: end, ..Cell::default() }]);
    }
}

/// The root word of a part whose region starts at a cell.
fn value(part: &Part, start: u32) -> u32 {
    match part {
        Part::Ask => ROOT_ASK,
        Part::Refused => ROOT_REFUSED,
        Part::Admitted => ROOT_ADMITTED,
        Part::Region(_) => start,
    }
}

fn index(cells: usize) -> u32 {
    u32::try_from(cells).expect("a list of a few million prefixes has fewer cells than that")
}
