//! The tables of one family in the kernel: each in front of the trie of its
//! place, piece by piece.
//!
//! Invariants: no packet looks at a piece without the first, which is put there
//! last and taken away first; a piece lies in its place only while it is pinned.

use std::marker::PhantomData;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use aya::maps::{IterableMap as _, Map, MapData, MapError};
use filter_common::poptrie::{PIECES, TABLE_MAP_FLAGS, piece_place};

use super::DatapathError;
use super::family::Family;
use super::outer::Outer;
use super::pins::{pin, remove_pin};
use super::table::{Piece, Table};

/// The tables of one family.
pub(super) struct Tables<F> {
    directory: PathBuf,
    pieces: Outer<Piece>,
    /// Takes the places of pieces that are gone: to empty each place would take
    /// a grace period each.
    blank: Piece,
    family: PhantomData<F>,
}

impl<F: Family> Tables<F> {
    pub(super) fn open(directory: &Path) -> Result<Self, DatapathError> {
        let blank =
            Piece::create(1, TABLE_MAP_FLAGS).map_err(DatapathError::map("make", "blank"))?;
        Ok(Self {
            directory: directory.to_owned(),
            pieces: Outer::open(directory, F::TABLES)?,
            blank,
            family: PhantomData,
        })
    }

    /// Takes over the table in front of a trie; nothing where an earlier daemon
    /// had not put all of it there.
    pub(super) fn adopt(&mut self, place: u32) -> Result<Option<Table>, DatapathError> {
        let pinned = self.pinned(place);
        if pinned.first() != Some(&0) {
            self.detach(place)?;
            return Ok(None);
        }
        let open = |piece: &u32| {
            let map = MapData::from_pin(self.pin(place, *piece)).and_then(Map::from_map_data);
            map.and_then(Piece::try_from)
        };
        let pieces: Result<Vec<Piece>, MapError> = pinned.iter().map(open).collect();
        let map = format!("{}{place}", F::TABLE);
        let table = pieces.and_then(Table::adopt).map_err(DatapathError::map("open", &map))?;
        // The daemon that pinned it may have been killed before this.
        self.fill(place, &table)?;
        Ok(Some(table))
    }

    /// Puts a table in front of a trie that has none.
    pub(super) fn attach(&mut self, place: u32, table: &Table) -> Result<(), DatapathError> {
        for (number, piece) in (0..PIECES).zip(table.pieces()).rev() {
            pin(piece.map(), &self.pin(place, number))?;
        }
        self.fill(place, table)
    }

    /// Takes the table away from a trie, which answers from then on; answers
    /// whether there was one.
    pub(super) fn detach(&mut self, place: u32) -> Result<bool, DatapathError> {
        let pinned = self.pinned(place);
        if pinned.is_empty() {
            return Ok(false);
        }
        self.pieces.clear(piece_place(place, 0))?;
        let others = pinned.iter().filter(|piece| **piece != 0);
        let places: Vec<u32> = others.map(|piece| piece_place(place, *piece)).collect();
        let blank = vec![self.blank.map().fd().as_fd(); places.len()];
        self.pieces.set_unread(&places, &blank)?;
        pinned.iter().try_for_each(|piece| remove_pin(&self.pin(place, *piece)))?;
        Ok(true)
    }

    fn fill(&mut self, place: u32, table: &Table) -> Result<(), DatapathError> {
        let Some((first, others)) = table.pieces().split_first() else { return Ok(()) };
        let numbers = (1..PIECES).take(others.len());
        let places: Vec<u32> = numbers.map(|piece| piece_place(place, piece)).collect();
        let maps: Vec<_> = others.iter().map(|piece| piece.map().fd().as_fd()).collect();
        self.pieces.set_unread(&places, &maps)?;
        self.pieces.set(piece_place(place, 0), first)
    }

    fn pin(&self, place: u32, piece: u32) -> PathBuf {
        self.directory.join(format!("{}{place}-{piece}", F::TABLE))
    }

    /// The pieces of a table that are pinned, in their order.
    fn pinned(&self, place: u32) -> Vec<u32> {
        (0..PIECES).filter(|piece| self.pin(place, *piece).exists()).collect()
    }
}
