//! The tries of one family: their places, their pins, and what they hold.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::of_maps::ArrayOfMaps;
use aya::maps::{Array, IterableMap as _, Map, MapData, MapError};
use filter_common::trie::{TRIE_CAPACITY, TRIE_PLACES, TrieNote, TrieValue};

use super::error::chain;
use super::family::Family;
use super::world::{open_array, open_map};
use super::{DatapathError, file_error, syscall};
use crate::access_list::PrefixTable;

const BPF_F_NO_PREALLOC: u32 = 1;

/// How often an insertion is tried again when the kernel is short of memory,
/// and how long in between. Tries allocate each node by itself, and the
/// allocator's reserve of a CPU can run dry for a moment.
const MEMORY_TRIES: u32 = 50;
const MEMORY_PAUSE: Duration = Duration::from_millis(2);

type Trie<F> = LpmTrie<MapData, <F as Family>::Address, TrieValue>;

/// The tries of one family.
pub(super) struct Tries<F: Family> {
    directory: PathBuf,
    outer: ArrayOfMaps<MapData, Trie<F>>,
    outer_map: MapData,
    /// Lies in place 0, where no packet looks it up.
    barrier: Trie<F>,
    notes: Array<MapData, TrieNote>,
    held: BTreeMap<u32, Held<F>>,
}

/// A trie in its place.
struct Held<F: Family> {
    trie: Trie<F>,
    note: TrieNote,
    /// What is in it, once that is known beyond its digest.
    table: Option<PrefixTable<F::Net>>,
}

/// One change of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyChange<N> {
    /// Inserts, or gives another value.
    Put(N, TrieValue),
    /// Removes.
    Remove(N),
}

impl<F: Family> Tries<F> {
    pub(super) fn open(directory: &Path) -> Result<Self, DatapathError> {
        let outer = ArrayOfMaps::try_from(Map::ArrayOfMaps(open_map(directory, F::OUTER)?))
            .map_err(DatapathError::map("open", F::OUTER))?;
        Ok(Self {
            directory: directory.to_owned(),
            outer,
            outer_map: open_map(directory, F::OUTER)?,
            barrier: Trie::<F>::create(1, BPF_F_NO_PREALLOC)
                .map_err(DatapathError::map("make a trie for", F::OUTER))?,
            notes: open_array(directory, F::NOTES)?,
            held: BTreeMap::new(),
        })
    }

    fn pin(&self, place: u32) -> PathBuf {
        self.directory.join(format!("{}{place}", F::TRIE))
    }

    /// Takes over the tries in the places given, and removes all others.
    pub(super) fn adopt(&mut self, places: &[u32]) -> Result<(), DatapathError> {
        for place in self.pinned()? {
            if places.contains(&place) {
                let map = MapData::from_pin(self.pin(place)).and_then(Map::from_map_data);
                let trie = map.and_then(LpmTrie::try_from).map_err(self.error("open", place))?;
                let note = self.notes.get(&place, 0).map_err(self.error("read the note", place))?;
                self.held.insert(place, Held { trie, note, table: None });
            } else {
                self.release(place)?;
            }
        }
        Ok(())
    }

    fn pinned(&self) -> Result<Vec<u32>, DatapathError> {
        let listing = fs::read_dir(&self.directory).map_err(file_error("list", &self.directory))?;
        let names = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.strip_prefix(F::TRIE)?.parse().ok()).collect())
    }

    /// Whether the trie in a place holds just this table.
    pub(super) fn holds(&self, place: u32, table: &PrefixTable<F::Net>) -> bool {
        self.held.get(&place).is_some_and(|held| held.note == note(table))
    }

    /// The one change that turns what a place holds into a table, if one does.
    pub(super) fn single_change(
        &self,
        place: u32,
        table: &PrefixTable<F::Net>,
    ) -> Option<KeyChange<F::Net>> {
        use imbl::ordmap::DiffItem;

        let held = self.held.get(&place).filter(|held| held.note.settled == 1)?;
        let mut difference = held.table.as_ref()?.prefixes().diff(table.prefixes());
        let change = match difference.next()? {
            DiffItem::Add(net, value) | DiffItem::Update { new: (net, value), .. } => {
                KeyChange::Put(*net, *value)
            }
            DiffItem::Remove(net, _) => KeyChange::Remove(*net),
        };
        difference.next().is_none().then_some(change)
    }

    /// Remembers what is in a trie that is known by its digest alone.
    pub(super) fn learn(&mut self, place: u32, table: &PrefixTable<F::Net>) {
        if let Some(held) = self.held.get_mut(&place) {
            held.table = Some(table.clone());
        }
    }

    /// Places that are taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> + '_ {
        self.held.keys().copied()
    }

    /// Changes one key in force: one trie operation, seen whole or not at all.
    pub(super) fn change(
        &mut self,
        place: u32,
        change: KeyChange<F::Net>,
        table: &PrefixTable<F::Net>,
    ) -> Result<(), DatapathError> {
        self.write_note(place, TrieNote::default())?;
        let error = self.error("change", place);
        let held = self.held.get_mut(&place).ok_or(DatapathError::Incomplete)?;
        match change {
            KeyChange::Put(net, value) => put(&mut held.trie, F::key(net), value),
            KeyChange::Remove(net) => held.trie.remove(&F::key(net)),
        }
        .map_err(error)?;
        let expected = match change {
            KeyChange::Put(net, value) => found::<F>(&held.trie, net) == Some(value),
            // A lookup would find a wider prefix; a second removal finds nothing.
            KeyChange::Remove(net) => held.trie.remove(&F::key(net)).is_err_and(|e| is_absent(&e)),
        };
        if !expected {
            return Err(DatapathError::ReadBack { map: F::OUTER, subject: format!("{change:?}") });
        }
        held.table = Some(table.clone());
        self.write_note(place, note(table))
    }

    /// Makes a trie of a table and puts it into a place that no packet reads.
    pub(super) fn build(
        &mut self,
        place: u32,
        table: &PrefixTable<F::Net>,
    ) -> Result<(), DatapathError> {
        let entries = table.prefixes().len();
        if entries > TRIE_CAPACITY as usize {
            return Err(DatapathError::ListTooLong { entries, limit: TRIE_CAPACITY });
        }
        let trie = Trie::<F>::create(TRIE_CAPACITY, BPF_F_NO_PREALLOC)
            .map_err(self.error("make", place))?;
        self.fill(place, &trie, table)?;
        self.release(place)?;
        trie.map().pin(self.pin(place)).map_err(|error| DatapathError::Map {
            operation: "pin",
            map: format!("{}{place}", F::TRIE),
            reason: chain(&error),
        })?;
        self.outer.set(place, &trie, 0).map_err(self.error("place", place))?;
        self.held.insert(place, Held { trie, note: note(table), table: Some(table.clone()) });
        self.write_note(place, note(table))
    }

    fn fill(
        &self,
        place: u32,
        trie: &Trie<F>,
        table: &PrefixTable<F::Net>,
    ) -> Result<(), DatapathError> {
        let keys: Vec<Key<F::Address>> = table.prefixes().keys().map(|net| F::key(*net)).collect();
        let values: Vec<TrieValue> = table.prefixes().values().copied().collect();
        insert_all(trie, &keys, &values).map_err(|error| DatapathError::Map {
            operation: "fill",
            map: format!("{}{place}", F::TRIE),
            reason: error.to_string(),
        })?;
        for (net, value) in table.prefixes() {
            if found::<F>(trie, *net) != Some(*value) {
                let subject = format!("{net:?}");
                return Err(DatapathError::ReadBack { map: F::OUTER, subject });
            }
        }
        Ok(())
    }

    /// Empties the places that are not among those given, one after another.
    pub(super) fn retain(&mut self, places: &[u32]) -> Result<(), DatapathError> {
        let retired: Vec<u32> = self.taken().filter(|place| !places.contains(place)).collect();
        retired.into_iter().try_for_each(|place| self.release(place))
    }

    fn release(&mut self, place: u32) -> Result<(), DatapathError> {
        self.clear_outer(place)?;
        self.write_note(place, TrieNote::default())?;
        let pin = self.pin(place);
        match fs::remove_file(&pin) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_error("remove", &pin)(error));
            }
            Ok(()) | Err(_) => {}
        }
        self.held.remove(&place);
        Ok(())
    }

    /// Returns when no packet is judged any more by what was selected before:
    /// the kernel answers an update of a map of maps when every program that
    /// ran at the time has ended (Linux commit 1ae80cf31938).
    pub(super) fn wait_for_packets(&mut self) -> Result<(), DatapathError> {
        self.outer.set(0, &self.barrier, 0).map_err(DatapathError::map("update", F::OUTER))
    }

    fn clear_outer(&self, place: u32) -> Result<(), DatapathError> {
        syscall::delete_element(self.outer_map.fd().as_fd(), place).map(drop).map_err(|error| {
            DatapathError::Map {
                operation: "empty a place",
                map: F::OUTER.to_owned(),
                reason: error.to_string(),
            }
        })
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

/// The first place that is neither taken nor named.
pub(super) fn free_place<F: Family>(tries: &Tries<F>, named: &[u32]) -> Result<u32, DatapathError> {
    (1..TRIE_PLACES)
        .find(|place| !tries.held.contains_key(place) && !named.contains(place))
        .ok_or(DatapathError::NoPlace { limit: TRIE_PLACES - 1 })
}

fn note<N: Ord + Copy + Into<ipnet::IpNet>>(table: &PrefixTable<N>) -> TrieNote {
    let entries = u32::try_from(table.prefixes().len()).unwrap_or(u32::MAX);
    TrieNote { digest: table.digest(), entries, settled: 1 }
}

fn found<F: Family>(trie: &Trie<F>, net: F::Net) -> Option<TrieValue> {
    trie.get(&F::key(net), 0).ok()
}

fn put<A: aya::Pod>(
    trie: &mut LpmTrie<MapData, A, TrieValue>,
    key: Key<A>,
    value: TrieValue,
) -> Result<(), MapError> {
    let mut tries = 0;
    loop {
        match trie.insert(&key, value, 0) {
            Err(MapError::SyscallError(error))
                if is_memory(&error.io_error) && tries < MEMORY_TRIES =>
            {
                tries += 1;
                std::thread::sleep(MEMORY_PAUSE);
            }
            result => return result,
        }
    }
}

fn insert_all<A: aya::Pod>(
    trie: &LpmTrie<MapData, A, TrieValue>,
    keys: &[Key<A>],
    values: &[TrieValue],
) -> std::io::Result<()> {
    let map = trie.map().fd().as_fd();
    let mut done = 0;
    let mut tries = 0;
    while done < keys.len() {
        match syscall::update_batch(map, &keys[done..], &values[done..]) {
            (count, Ok(())) => done += count,
            (count, Err(error)) if is_memory(&error) && tries < MEMORY_TRIES => {
                done += count;
                tries = if count == 0 { tries + 1 } else { 0 };
                std::thread::sleep(MEMORY_PAUSE);
            }
            (_, Err(error)) => return Err(error),
        }
    }
    Ok(())
}

fn is_memory(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOMEM)
}

fn is_absent(error: &MapError) -> bool {
    if let MapError::SyscallError(error) = error {
        return error.io_error.raw_os_error() == Some(libc::ENOENT);
    }
    matches!(error, MapError::KeyNotFound)
}
