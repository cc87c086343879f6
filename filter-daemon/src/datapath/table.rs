//! One table in front of a trie, in the kernel.
//!
//! Owns which cells are used and which are free. A table follows its trie by
//! halves: before a prefix changes, the parts that it touches are set to "ask
//! the trie"; later they are compiled anew. In between, and for ever if the
//! daemon dies, the trie answers for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::os::fd::AsFd as _;

use aya::maps::{Array, IterableMap as _, MapData, MapError};
use filter_common::poptrie::{
    CELLS_PER_LINE, Cell, FINE_LINE, FINE_WORDS_PER_LINE, FRONT_MAP_FLAGS, Front, Line,
    PIECE_LINES, PIECE_MAP_FLAGS, PIECES, QUARTERS, ROOT_ASK, ROOT_REFUSED, ROOT_WORDS,
};
use filter_common::sieve::Fine;

use super::mapping::Mapping;
use crate::access_list::PrefixTable;
use crate::policy::poptrie::{Net, Part, Sieve, compile, compile_part, parts_of};

/// The fewest cells that are kept free for changes.
const SPARE_CELLS: u32 = 4096;

/// What a table begins with.
pub(super) type FrontMap = Array<MapData, Front>;

/// A piece of a table.
pub(super) type Piece = Array<MapData, Line>;

/// One table in front of a trie.
pub(super) struct Table {
    front: FrontMap,
    pieces: Vec<Piece>,
    memory: Mapping,
    sieve: Sieve,
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
    pub(super) fn build<N: Net>(prefixes: &PrefixTable<N>) -> Result<Self, MapError> {
        let mut parts: Vec<(u32, Part)> = Vec::new();
        compile(prefixes, |word, part| parts.push((word, part)));
        let regions = parts.iter().filter_map(|(_, part)| match part {
            Part::Region(cells) => Some(index(cells.len())),
            Part::Ask | Part::Refused | Part::Admitted => None,
        });
        let (tops, cells) =
            regions.fold((0, 0), |(tops, all), cells| (tops + QUARTERS, all + cells));
        let sieve = Sieve::of(prefixes, rand::random());
        let first = first_region(sieve);
        let lines = (first + cells + cells / 4 + SPARE_CELLS).div_ceil(CELLS_PER_LINE);
        let (front, pieces) = (Array::create(1, FRONT_MAP_FLAGS)?, make_pieces(lines)?);
        let mut memory = memory_of(&front, &pieces)?;
        memory.set_forms(sieve.coarse(), sieve.fine());
        let mut table = Self::over(front, pieces, memory, sieve, first);
        prefixes.prefixes().keys().for_each(|net| table.mark(*net));
        table.set_end(first + cells);
        (0..ROOT_WORDS).for_each(|word| table.memory.set_word(word, ROOT_REFUSED));
        let (mut top, mut below) = (first, first + tops);
        for (word, part) in parts {
            table.memory.set_word(word, part.root_word(top));
            if let Part::Region(cells) = part {
                let ranges = table.write_apart(&cells, top, below);
                (top, below) = (ranges[0].end, ranges[1].end);
                table.regions.insert(word, ranges);
            }
        }
        Ok(table)
    }

    /// Takes over the table that an earlier daemon left in front of a trie.
    pub(super) fn adopt(front: FrontMap, pieces: Vec<Piece>) -> Result<Self, MapError> {
        let memory = memory_of(&front, &pieces)?;
        let (coarse, fine) = memory.forms();
        let (sieve, end) = (Sieve::adopted(coarse, fine), memory.end());
        Ok(Self::over(front, pieces, memory, sieve, end))
    }

    /// Whether all cells that were ever used are there.
    pub(super) fn is_whole(&self) -> bool {
        self.end <= self.memory.count()
    }

    fn over(front: FrontMap, pieces: Vec<Piece>, memory: Mapping, sieve: Sieve, end: u32) -> Self {
        Self {
            front,
            pieces,
            memory,
            sieve,
            end,
            free: Vec::new(),
            retired: Vec::new(),
            regions: BTreeMap::new(),
            stale: BTreeSet::new(),
        }
    }

    /// What it begins with.
    pub(super) fn front(&self) -> &FrontMap {
        &self.front
    }

    /// Its pieces, in their order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Bytes that it takes in the kernel.
    pub(super) fn bytes(&self) -> u64 {
        (size_of::<Front>() + self.memory.count() as usize * size_of::<Cell>()) as u64
    }

    /// Lets the trie answer for all that a prefix touches.
    pub(super) fn doubt<N: Net>(&mut self, net: N) {
        for word in parts_of(net) {
            self.memory.set_word(word, ROOT_ASK);
            self.stale.insert(word);
        }
        match self.sieve.take_room(net) {
            true => self.mark(net),
            false => self.memory.open_sieve(),
        }
    }

    /// Compiles stale parts anew, as many as are given. A sieve that lets
    /// everything through has no room either.
    pub(super) fn mend<N: Net>(&mut self, prefixes: &PrefixTable<N>, parts: usize) -> Mended {
        if self.sieve.is_open() {
            return Mended::Full;
        }
        for _ in 0..parts {
            let Some(word) = self.stale.first().copied() else { return Mended::All };
            let part = compile_part(prefixes, word);
            let Some(start) = self.place(&part) else { return Mended::Full };
            self.memory.set_word(word, part.root_word(start));
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
        self.memory.set_end(end);
    }

    fn mark<N: Net>(&mut self, net: N) {
        self.sieve.mark_coarse(net, |mark| self.memory.mark_coarse(mark));
        self.sieve.mark_fine(net, |mark| self.memory.mark_fine(mark));
    }
}

/// Makes pieces of so many lines together, one by one: to clear all of them at
/// once would keep other programs from a CPU for too long.
fn make_pieces(lines: u32) -> Result<Vec<Piece>, MapError> {
    if lines > PIECES * PIECE_LINES {
        let reason = format!("its table would take more than {PIECES} pieces");
        return Err(MapError::IoError(io::Error::other(reason)));
    }
    let firsts = (0..lines).step_by(PIECE_LINES as usize);
    firsts.map(|first| Array::create(PIECE_LINES.min(lines - first), PIECE_MAP_FLAGS)).collect()
}

fn memory_of(front: &FrontMap, pieces: &[Piece]) -> Result<Mapping, MapError> {
    let lines: u32 = pieces.iter().map(Array::len).sum();
    let descriptors = pieces.iter().map(|piece| piece.map().fd().as_fd());
    let front = front.map().fd().as_fd();
    Mapping::new(front, descriptors, lines * CELLS_PER_LINE).map_err(MapError::IoError)
}

/// The first cell behind a fine mesh that is not in the front.
fn first_region(sieve: Sieve) -> u32 {
    let Fine { words, first, .. } = sieve.fine();
    let words = if first == 0 { words } else { 0 };
    (FINE_LINE + words.div_ceil(FINE_WORDS_PER_LINE)) * CELLS_PER_LINE
}

fn index(cells: usize) -> u32 {
    u32::try_from(cells).expect("a list of a few million prefixes has fewer cells than that")
}
