//! The tables of one family in the kernel: each before the trie of its place, in
//! a front and pieces.
//!
//! Invariants: no packet looks at a piece without the front, which is put there
//! last and taken away first; both lie in their places only while pinned.

use std::marker::PhantomData;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use aya::maps::{IterableMap as _, Map, MapData, MapError};
use filter_common::poptrie::{PIECE_MAP_FLAGS, PIECES, piece_place};

use super::DatapathError;
use super::family::Family;
use super::outer::Outer;
use super::pins::{numbers, pin, remove_pin};
use super::table::{FrontMap, Piece, Table};

/// The tables of one family.
pub(super) struct Tables<F> {
    directory: PathBuf,
    fronts: Outer<FrontMap>,
    pieces: Outer<Piece>,
    /// Takes the places of pieces that are gone: to empty each place would take
    /// a grace period each.
    blank: Piece,
    family: PhantomData<F>,
}

impl<F: Family> Tables<F> {
    pub(super) fn open(directory: &Path) -> Result<Self, DatapathError> {
        let blank =
            Piece::create(1, PIECE_MAP_FLAGS).map_err(DatapathError::map("make", "blank"))?;
        Ok(Self {
            directory: directory.to_owned(),
            fronts: Outer::open(directory, F::FRONTS)?,
            pieces: Outer::open(directory, F::PIECES)?,
            blank,
            family: PhantomData,
        })
    }

    /// Takes over the table in front of a trie; nothing where not all of it is
    /// pinned, as an earlier daemon had not come so far, or as somebody removed
    /// pins.
    pub(super) fn adopt(&mut self, place: u32) -> Result<Option<Table>, DatapathError> {
        let pieces = self.pinned(place)?;
        let has_all = !pieces.is_empty() && (0..).zip(&pieces).all(|(n, piece)| n == *piece);
        if has_all && self.front_pin(place).exists() {
            let map = format!("{}{place}", F::TABLE);
            let table = self.open_table(place, &pieces);
            let table = table.map_err(DatapathError::map("open", &map))?;
            if table.is_whole() {
                // The daemon that pinned it may have been killed before this.
                self.fill(place, &table)?;
                return Ok(Some(table));
            }
        }
        self.detach(place)?;
        Ok(None)
    }

    fn open_table(&self, place: u32, pieces: &[u32]) -> Result<Table, MapError> {
        let open = |pin: PathBuf| MapData::from_pin(pin).and_then(Map::from_map_data);
        let front = open(self.front_pin(place)).and_then(FrontMap::try_from)?;
        let pieces = pieces.iter().map(|piece| open(self.pin(place, *piece)));
        let pieces = pieces.map(|piece| piece.and_then(Piece::try_from));
        Table::adopt(front, pieces.collect::<Result<_, MapError>>()?)
    }

    /// Puts a table in front of a trie that has none.
    pub(super) fn attach(&mut self, place: u32, table: &Table) -> Result<(), DatapathError> {
        for (number, piece) in (0..PIECES).zip(table.pieces()) {
            pin(piece.map(), &self.pin(place, number))?;
        }
        pin(table.front().map(), &self.front_pin(place))?;
        self.fill(place, table)
    }

    /// Takes the table away from a trie, which answers from then on; answers
    /// whether there was one.
    pub(super) fn detach(&mut self, place: u32) -> Result<bool, DatapathError> {
        let pinned = self.pinned(place)?;
        if pinned.is_empty() && !self.front_pin(place).exists() {
            return Ok(false);
        }
        self.fronts.clear(place)?;
        remove_pin(&self.front_pin(place))?;
        let places: Vec<u32> = pinned.iter().map(|piece| piece_place(place, *piece)).collect();
        let blank = vec![self.blank.map().fd().as_fd(); places.len()];
        self.pieces.set_unread(&places, &blank)?;
        pinned.iter().try_for_each(|piece| remove_pin(&self.pin(place, *piece)))?;
        Ok(true)
    }

    fn fill(&mut self, place: u32, table: &Table) -> Result<(), DatapathError> {
        let numbers = (0..PIECES).take(table.pieces().len());
        let places: Vec<u32> = numbers.map(|piece| piece_place(place, piece)).collect();
        let maps: Vec<_> = table.pieces().iter().map(|piece| piece.map().fd().as_fd()).collect();
        self.pieces.set_unread(&places, &maps)?;
        self.fronts.set(place, table.front())
    }

    fn front_pin(&self, place: u32) -> PathBuf {
        self.directory.join(format!("{}{place}", F::TABLE))
    }

    fn pin(&self, place: u32, piece: u32) -> PathBuf {
        self.directory.join(format!("{}{place}-{piece}", F::TABLE))
    }

    /// The pieces of a table that are pinned, in their order.
    fn pinned(&self, place: u32) -> Result<Vec<u32>, DatapathError> {
        numbers(&self.directory, &format!("{}{place}-", F::TABLE))
    }
}
