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
    Cell, QUARTERS, ROOT_ASK, ROOT_BITS, ROOT_REFUSED, ROOT_WORDS, SIEVE_WORD, TABLE_MAP_FLAGS,
    WORDS_PER_CELL,
};

use super::mapping::Mapping;
use crate::access_list::PrefixTable;
use crate::policy::poptrie::{
    Blocks, Compiled, Net, Part, blocks_of, compile, compile_part, parts_of,
};

/// The fewest cells that are kept free for changes.
const SPARE_CELLS: u32 = 4096;

/// One table in front of a trie. Behind root and sieve lies a cell that no
/// packet looks at: its `base` says where cells begin that were never used.
pub(super) struct Table {
    map: Array<MapData, Cell>,
    memory: Mapping,
    sieve_bits: u32,
    /// From here on no cell was ever used.
    end: u32,
    /// Cells that may be written to.
    free: Vec<Range<u32>>,
    /// Cells that a packet may still be looking at.
    retired: Vec<Range<u32>>,
    /// The cells of a region, by its root word, as far as this daemon wrote
    /// them: its top and the nodes below, which need not lie side by side.
    regions: BTreeMap<u32, [Range<u32>; 2]>,
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
    /// Makes the table of a list; it is in force nowhere yet. The tops of
    /// regions lie together, so that the cache has more of them.
    pub(super) fn build<N: Net>(
        prefixes: &PrefixTable<N>,
        sieve_bits: u32,
    ) -> Result<Self, MapError> {
        let mut parts: Vec<(u32, Compiled)> = Vec::new();
        compile(prefixes, |word, compiled| parts.push((word, compiled)));
        let regions = parts.iter().filter_map(|(_, compiled)| match &compiled.part {
            Part::Region(cells) => Some(index(cells.len())),
            Part::Ask | Part::Refused | Part::Admitted => None,
        });
        let (tops, cells) =
            regions.fold((0, 0), |(tops, all), cells| (tops + QUARTERS, all + cells));
        let first = header(sieve_bits) + 1;
        let count = first + cells + cells / 4 + SPARE_CELLS;
        let mut table = Self::over(Array::create(count, TABLE_MAP_FLAGS)?, count, sieve_bits)?;
        table.set_end(first + cells);
        (0..ROOT_WORDS).for_each(|word| table.memory.set_word(word, ROOT_REFUSED));
        let (mut top, mut below) = (first, first + tops);
        for (word, Compiled { part, occupied }) in parts {
            table.memory.set_word(word, part.root_word(top));
            table.set_sieve(word, occupied);
            if let Part::Region(cells) = part {
                let ranges = table.write_apart(&cells, top, below);
                (top, below) = (ranges[0].end, ranges[1].end);
                table.regions.insert(word, ranges);
            }
        }
        Ok(table)
    }

    /// Takes over the table that an earlier daemon left in front of a trie.
    pub(super) fn adopt(map: Array<MapData, Cell>, sieve_bits: u32) -> Result<Self, MapError> {
        let count = map.len();
        let mut table = Self::over(map, count, sieve_bits)?;
        table.end = table.memory.cell(header(sieve_bits)).base;
        Ok(table)
    }

    fn over(map: Array<MapData, Cell>, count: u32, sieve_bits: u32) -> Result<Self, MapError> {
        let memory = Mapping::new(map.map().fd().as_fd(), count).map_err(MapError::IoError)?;
        Ok(Self {
            map,
            memory,
            sieve_bits,
            end: header(sieve_bits) + 1,
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

    /// How many address bits its sieve tells apart.
    pub(super) fn sieve_bits(&self) -> u32 {
        self.sieve_bits
    }

    /// Bytes that it takes in the kernel.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.memory.count()) * size_of::<Cell>() as u64
    }

    /// Lets the trie answer for all that a prefix touches.
    pub(super) fn doubt<N: Net>(&mut self, net: N) {
        let blocks = blocks_of(net);
        for word in parts_of(net) {
            self.memory.set_word(word, ROOT_ASK);
            self.let_through(word, blocks);
            self.stale.insert(word);
        }
    }

    /// Compiles stale parts anew, as many as are given.
    pub(super) fn mend<N: Net>(&mut self, prefixes: &PrefixTable<N>, parts: usize) -> Mended {
        for _ in 0..parts {
            let Some(word) = self.stale.first().copied() else { return Mended::All };
            let Compiled { part, occupied } = compile_part(prefixes, word);
            let Some(start) = self.place(&part) else { return Mended::Full };
            self.memory.set_word(word, part.root_word(start));
            self.set_sieve(word, occupied);
            let replaced = match &part {
                Part::Region(cells) => {
                    let end = start + index(cells.len());
                    self.regions.insert(word, [start..end, end..end])
                }
                Part::Ask | Part::Refused | Part::Admitted => self.regions.remove(&word),
            };
            self.retired.extend(replaced.into_iter().flatten());
            self.stale.remove(&word);
        }
        if self.stale.is_empty() { Mended::All } else { Mended::Some }
    }

    /// Makes free what mending has replaced. No packet may look at it any
    /// more.
    pub(super) fn reclaim(&mut self) {
        self.free.append(&mut self.retired);
        self.free.retain(|range| !range.is_empty());
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
        let start = match self.free.iter_mut().find(|range| range.end - range.start >= count) {
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

    /// Writes the top of a region to one place and the nodes below to another.
    fn write_apart(&mut self, cells: &[Cell], top: u32, below: u32) -> [Range<u32>; 2] {
        let move_by = below - (top + QUARTERS);
        let moved = |cell: &Cell| Cell { base: cell.base.wrapping_add(move_by), ..*cell };
        let moved: Vec<Cell> = cells.iter().map(moved).collect();
        let (quarters, nodes) = moved.split_at(QUARTERS as usize);
        self.memory.write(top, quarters);
        self.memory.write(below, nodes);
        [top..top + QUARTERS, below..below + index(nodes.len())]
    }

    fn set_end(&mut self, end: u32) {
        self.end = end;
        self.memory.write(header(self.sieve_bits), &[Cell { base: end, ..Cell::default() }]);
    }

    /// Says which blocks of a part the sieve lets through.
    fn set_sieve(&mut self, part: u32, blocks: Blocks) {
        self.change_sieve(part, blocks, |_, new| new);
    }

    /// Says of more blocks of a part that the sieve lets them through.
    fn let_through(&mut self, part: u32, blocks: Blocks) {
        self.change_sieve(part, blocks, |old, more| old | more);
    }

    fn change_sieve(&mut self, part: u32, blocks: Blocks, change: fn(u32, u32) -> u32) {
        let bits = 1_u32 << (self.sieve_bits - ROOT_BITS);
        let first = part * bits;
        let shift = first % u32::BITS;
        let mask = u32::MAX >> (u32::BITS - bits.min(u32::BITS)) << shift;
        let words = SIEVE_WORD + first / u32::BITS..;
        for (word, own) in words.zip(blocks.coarsened(self.sieve_bits)) {
            let old = self.memory.word(word);
            self.memory.set_word(word, old & !mask | change(old, own << shift) & mask);
        }
    }
}

/// The cell behind root and sieve.
fn header(sieve_bits: u32) -> u32 {
    (SIEVE_WORD + (1 << sieve_bits) / u32::BITS) / WORDS_PER_CELL
}

fn index(cells: usize) -> u32 {
    u32::try_from(cells).expect("a list of a few million prefixes has fewer cells than that")
}
