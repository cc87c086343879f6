//! The lists of one family in the kernel: their places, their pins, and what
//! they hold. A list is a trie and, when it is long, a table in front of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use aya::maps::lpm_trie::LpmTrie;
use aya::maps::{Array, IterableMap as _, Map, MapData, MapError};
use filter_common::trie::{ACCELERATED, ListRef, TRIE_PLACES, TrieNote, place as bare};

use super::DatapathError;
use super::family::Family;
use super::outer::Outer;
use super::pins::{numbers, pin, remove_pin};
use super::reaper::Reaper;
use super::table::{Mended, Table};
use super::tables::Tables;
use super::trie::{self, KeyChange, Trie, TrieError};
use super::world::open_array;
use crate::access_list::PrefixTable;
use crate::priority::{Patience, give_way};

/// How many parts of a table are compiled anew in one go: a few milliseconds.
const PARTS_AT_ONCE: usize = 256;

/// The lists of one family.
pub(super) struct Tries<F: Family> {
    directory: PathBuf,
    tries: Outer<Trie<F>>,
    tables: Tables<F>,
    /// Lies in place 0, where no packet looks it up.
    barrier: Trie<F>,
    notes: Array<MapData, TrieNote>,
    held: BTreeMap<u32, Held<F>>,
    reaper: Reaper,
    /// From how many entries on a list gets a table.
    accelerate_from: usize,
}

/// A list in its place.
struct Held<F: Family> {
    trie: Trie<F>,
    /// Whether a table belongs in front of it.
    is_accelerated: bool,
    table: Option<Table>,
    note: TrieNote,
    /// What is in it, once that is known beyond its digest.
    prefixes: Option<PrefixTable<F::Net>>,
}

impl<F: Family> Tries<F> {
    pub(super) fn open(
        directory: &Path,
        reaper: Reaper,
        accelerate_from: usize,
    ) -> Result<Self, DatapathError> {
        Ok(Self {
            directory: directory.to_owned(),
            tries: Outer::open(directory, F::OUTER)?,
            tables: Tables::open(directory)?,
            barrier: trie::create::<F>(1).map_err(|error| failure::<F>("make", 0, error))?,
            notes: open_array(directory, F::NOTES)?,
            held: BTreeMap::new(),
            reaper,
            accelerate_from,
        })
    }

    fn pin(&self, place: u32) -> PathBuf {
        self.directory.join(format!("{}{place}", F::TRIE))
    }

    /// Takes over the lists in the places given, and removes all others.
    pub(super) fn adopt(&mut self, named: &[ListRef]) -> Result<(), DatapathError> {
        for place in numbers(&self.directory, F::TRIE)? {
            match named.iter().find(|named| bare(**named) == place) {
                Some(named) => self.adopt_one(*named)?,
                None => self.release(place)?,
            }
        }
        Ok(())
    }

    fn adopt_one(&mut self, named: ListRef) -> Result<(), DatapathError> {
        let place = bare(named);
        let trie = MapData::from_pin(self.pin(place)).and_then(Map::from_map_data);
        let trie = trie.and_then(LpmTrie::try_from).map_err(self.error("open", place))?;
        let is_accelerated = named & ACCELERATED != 0;
        let table = match is_accelerated {
            true => self.tables.adopt(place)?,
            false => None,
        };
        let note = self.notes.get(&place, 0).map_err(self.error("read the note", place))?;
        self.held.insert(place, Held { trie, is_accelerated, table, note, prefixes: None });
        Ok(())
    }

    /// Whether the trie in a place holds just this table.
    pub(super) fn holds(&self, named: ListRef, table: &PrefixTable<F::Net>) -> bool {
        self.held.get(&bare(named)).is_some_and(|held| held.note == note(table))
    }

    /// Whether a list of a length should have a table, given whether it has
    /// one. A list around the border does not go back and forth.
    pub(super) fn accelerates(&self, entries: usize, has_table: bool) -> bool {
        let from = if has_table { self.accelerate_from / 2 } else { self.accelerate_from };
        entries >= from.max(1)
    }

    /// The changes that turn what a place holds into a table, if it is one
    /// entry that has come, gone or moved. In their order no packet gets
    /// another verdict than that of before or that of after: what comes, comes
    /// before what goes.
    pub(super) fn entry_change(
        &self,
        named: ListRef,
        table: &PrefixTable<F::Net>,
    ) -> Option<Vec<KeyChange<F::Net>>> {
        use imbl::ordmap::DiffItem;

        let held = self.held.get(&bare(named)).filter(|held| held.note.settled == 1)?;
        let difference = held.prefixes.as_ref()?.prefixes().diff(table.prefixes());
        let changes = difference.take(3).map(|item| match item {
            DiffItem::Add(net, value) | DiffItem::Update { new: (net, value), .. } => {
                KeyChange::Put(*net, *value)
            }
            DiffItem::Remove(net, _) => KeyChange::Remove(*net),
        });
        let (puts, removals): (Vec<_>, Vec<_>) =
            changes.partition(|change| matches!(change, KeyChange::Put(..)));
        (puts.len() <= 1 && removals.len() <= 1).then(|| [puts, removals].concat())
    }

    /// Remembers what is in a trie that is known by its digest alone.
    pub(super) fn learn(&mut self, named: ListRef, table: &PrefixTable<F::Net>) {
        if let Some(held) = self.held.get_mut(&bare(named)) {
            held.prefixes = Some(table.clone());
        }
    }

    /// The first place that is neither taken nor named.
    pub(super) fn free_place(&self, named: &[ListRef]) -> Result<u32, DatapathError> {
        let is_named = |place| named.iter().any(|named| bare(*named) == place);
        (1..TRIE_PLACES)
            .find(|place| !self.held.contains_key(place) && !is_named(*place))
            .ok_or(DatapathError::NoPlace { limit: TRIE_PLACES - 1 })
    }

    /// Changes a list in force, key by key; each is seen whole or not at all.
    pub(super) fn change(
        &mut self,
        named: ListRef,
        changes: &[KeyChange<F::Net>],
        prefixes: &PrefixTable<F::Net>,
    ) -> Result<(), DatapathError> {
        let place = bare(named);
        self.write_note(place, TrieNote::default())?;
        let held = self.held.get_mut(&place).ok_or(DatapathError::Incomplete)?;
        for change in changes {
            if let Some(table) = &mut held.table {
                table.doubt(change.net());
            }
            trie::change::<F>(&mut held.trie, change)
                .map_err(|error| failure::<F>("change", place, error))?;
        }
        held.prefixes = Some(prefixes.clone());
        self.write_note(place, note(prefixes))
    }

    /// Makes a list in a place that no packet reads.
    pub(super) fn build(
        &mut self,
        named: ListRef,
        prefixes: &PrefixTable<F::Net>,
    ) -> Result<(), DatapathError> {
        let place = bare(named);
        let (trie, table) = match named & ACCELERATED != 0 {
            true => build_long::<F>(prefixes),
            false => (trie::build::<F>(prefixes), None),
        };
        let trie = trie.map_err(|error| failure::<F>("fill", place, error))?;
        let table = table.transpose().map_err(self.error("make the table of", place))?;
        self.release(place)?;
        pin(trie.map(), &self.pin(place))?;
        self.tries.set(place, &trie)?;
        let is_accelerated = table.is_some();
        if let Some(table) = &table {
            self.tables.attach(place, table)?;
        }
        let (note, prefixes) = (note(prefixes), Some(prefixes.clone()));
        self.held.insert(place, Held { trie, is_accelerated, table, note, prefixes });
        self.write_note(place, note)
    }

    /// Brings tables up to date, as far as a few milliseconds go; whether
    /// there is more to do.
    pub(super) fn mend(&mut self) -> Result<bool, DatapathError> {
        let mut more = false;
        for place in self.held.keys().copied().collect::<Vec<_>>() {
            match self.mend_one(place) {
                Mended::All => {}
                Mended::Some => more = true,
                Mended::Full => {
                    self.make_room(place)?;
                    more = true;
                }
            }
        }
        Ok(more)
    }

    fn mend_one(&mut self, place: u32) -> Mended {
        match self.held.get_mut(&place) {
            Some(Held { table: Some(table), prefixes: Some(prefixes), .. }) => {
                table.mend(prefixes, PARTS_AT_ONCE)
            }
            Some(Held { is_accelerated: true, prefixes: Some(_), .. }) => Mended::Full,
            Some(_) | None => Mended::All,
        }
    }

    /// Frees what a table has replaced; when that is not enough, makes a new
    /// table. Between the two the trie answers.
    fn make_room(&mut self, place: u32) -> Result<(), DatapathError> {
        self.wait_for_packets()?;
        if let Some(table) = self.held.get_mut(&place).and_then(|held| held.table.as_mut()) {
            table.reclaim();
        }
        if self.mend_one(place) != Mended::Full {
            return Ok(());
        }
        let error = self.error("make the table of", place);
        let Some(held) = self.held.get_mut(&place) else { return Ok(()) };
        let Some(prefixes) = &held.prefixes else { return Ok(()) };
        let table = Table::build(prefixes).map_err(error)?;
        held.table = None;
        self.tables.detach(place)?;
        self.tables.attach(place, &table)?;
        held.table = Some(table);
        Ok(())
    }

    /// Goes a step further with emptying the places that are not among those
    /// named; answers whether there was anything to do. Each step ends with a
    /// grace period.
    pub(super) fn retire_some(&mut self, named: &[ListRef]) -> Result<bool, DatapathError> {
        let is_named = |place: &u32| named.iter().any(|named| bare(*named) == *place);
        let Some(place) = self.held.keys().copied().find(|place| !is_named(place)) else {
            return Ok(false);
        };
        if !self.tries.clear(place)? && !self.tables.detach(place)? {
            self.release(place)?;
        }
        Ok(true)
    }

    fn release(&mut self, place: u32) -> Result<(), DatapathError> {
        self.tries.clear(place)?;
        self.tables.detach(place)?;
        self.write_note(place, TrieNote::default())?;
        let left = MapData::from_pin(self.pin(place)).and_then(Map::from_map_data);
        remove_pin(&self.pin(place))?;
        match (self.held.remove(&place), left.and_then(LpmTrie::try_from)) {
            (Some(Held { trie, prefixes, .. }), _) => self.free(trie, prefixes),
            (None, Ok(trie)) => self.free(trie, None),
            (None, Err(_)) => {}
        }
        Ok(())
    }

    fn free(&self, trie: Trie<F>, prefixes: Option<PrefixTable<F::Net>>) {
        let keys =
            prefixes.map(|table| table.prefixes().clone().into_iter().map(|(net, _)| F::key(net)));
        self.reaper.free(trie, keys);
    }

    /// Returns when no packet is judged any more by what was selected before.
    pub(super) fn wait_for_packets(&mut self) -> Result<(), DatapathError> {
        self.tries.set(0, &self.barrier)
    }

    /// Bytes that the tables take in the kernel.
    pub(super) fn table_bytes(&self) -> u64 {
        self.held.values().filter_map(|held| held.table.as_ref()).map(Table::bytes).sum()
    }

    fn write_note(&mut self, place: u32, note: TrieNote) -> Result<(), DatapathError> {
        if let Some(held) = self.held.get_mut(&place) {
            held.note = note;
        }
        let error = self.error("write the note", place);
        self.notes.set(place, note, 0).map_err(error)
    }

    fn error(
        &self,
        operation: &'static str,
        place: u32,
    ) -> impl FnOnce(MapError) -> DatapathError + use<F> {
        move |error| DatapathError::map(operation, &format!("{}{place}", F::TRIE))(error)
    }
}

/// A trie, and the table that stands in front of it, if one does.
type Built<F> = (Result<Trie<F>, TrieError>, Option<Result<Table, MapError>>);

/// Makes trie and table side by side, and gives way to others meanwhile: each
/// takes a good part of a second for a long list.
fn build_long<F: Family>(prefixes: &PrefixTable<F::Net>) -> Built<F> {
    thread::scope(|scope| {
        let table = scope.spawn(|| {
            give_way(Patience::Some);
            Table::build(prefixes)
        });
        let trie = scope.spawn(|| {
            give_way(Patience::Some);
            trie::build::<F>(prefixes)
        });
        let trie = trie.join().expect("making a trie does not panic");
        (trie, Some(table.join().expect("making a table does not panic")))
    })
}

fn failure<F: Family>(operation: &'static str, place: u32, error: TrieError) -> DatapathError {
    let map = format!("{}{place}", F::TRIE);
    match error {
        TrieError::Kernel(reason) => DatapathError::Map { operation, map, reason },
        TrieError::ReadBack(subject) => DatapathError::ReadBack { map: F::OUTER, subject },
    }
}

fn note<N: Ord + Copy + Into<ipnet::IpNet>>(table: &PrefixTable<N>) -> TrieNote {
    let entries = u32::try_from(table.prefixes().len()).unwrap_or(u32::MAX);
    TrieNote { digest: table.digest(), entries, settled: 1 }
}
