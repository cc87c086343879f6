//! One set of pinned maps: found and adopted, or made anew.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aya::Pod;
use aya::maps::{Array, Map, MapData, MapType, PerCpuArray, PerCpuValues};
use filter_common::ABI_VERSION;
use filter_common::counter::{COUNTER_CELLS, Counter, counter_cell};
use filter_common::event::{EVENT_RING_BYTES, EventBudget};
use filter_common::generation::{GENERATION_SLOTS, Generation, PortIndex};
use filter_common::hit::{HIT_ENTRIES, Hit};
use filter_common::poptrie::PIECE_PLACES;
use filter_common::reason::Reason;
use filter_common::stamp::{STAMP_MAGIC, Stamp};
use filter_common::trie::{TRIE_PLACES, TrieNote};
use filter_common::verdict::Verdict;

use super::family::{V4, V6};
use super::reaper::Reaper;
use super::tries::Tries;
use super::{DatapathError, file_error};

const PREFIX: &str = "world-";

/// Name, type, and sizes of key, value and table of every pinned map.
pub(super) const LAYOUT: [(&str, MapType, usize, usize, u32); 16] = [
    ("SELECTOR", MapType::Array, 4, 4, 1),
    ("GENERATIONS", MapType::Array, 4, size_of::<Generation>(), GENERATION_SLOTS),
    ("PORT_INDEX", MapType::Array, 4, size_of::<PortIndex>(), GENERATION_SLOTS),
    ("TRIES4", MapType::ArrayOfMaps, 4, 4, TRIE_PLACES),
    ("TRIES6", MapType::ArrayOfMaps, 4, 4, TRIE_PLACES),
    ("FRONTS4", MapType::ArrayOfMaps, 4, 4, TRIE_PLACES),
    ("FRONTS6", MapType::ArrayOfMaps, 4, 4, TRIE_PLACES),
    ("PIECES4", MapType::ArrayOfMaps, 4, 4, PIECE_PLACES),
    ("PIECES6", MapType::ArrayOfMaps, 4, 4, PIECE_PLACES),
    ("NOTES4", MapType::Array, 4, size_of::<TrieNote>(), TRIE_PLACES),
    ("NOTES6", MapType::Array, 4, size_of::<TrieNote>(), TRIE_PLACES),
    ("STAMP", MapType::Array, 4, size_of::<Stamp>(), 1),
    ("COUNTERS", MapType::PerCpuArray, 4, size_of::<Counter>(), COUNTER_CELLS),
    ("HITS", MapType::PerCpuHash, 4, size_of::<Hit>(), HIT_ENTRIES),
    ("EVENTS", MapType::RingBuf, 0, 0, EVENT_RING_BYTES),
    ("EVENT_BUDGET", MapType::PerCpuArray, 4, size_of::<EventBudget>(), 1),
];

/// The maps of one directory.
pub(super) struct World {
    pins: PathBuf,
    directory: PathBuf,
    pub(super) selector: Array<MapData, u32>,
    pub(super) generations: Array<MapData, Generation>,
    pub(super) port_index: Array<MapData, PortIndex>,
    stamp: Array<MapData, Stamp>,
    counters: PerCpuArray<MapData, Counter>,
    pub(super) tries4: Tries<V4>,
    pub(super) tries6: Tries<V6>,
}

/// The directory to use: the newest one that holds a whole policy in this
/// layout, else a new one.
pub(super) fn choose(pins: &Path) -> Result<PathBuf, DatapathError> {
    let found = directories(pins)?;
    for (number, directory) in found.iter().rev() {
        match misfit(directory) {
            None => {
                tracing::info!(number, "taking over the maps of an earlier filterd");
                return Ok(directory.clone());
            }
            Some(reason) => tracing::info!(number, reason, "not taking over maps"),
        }
        if !was_complete(directory) {
            // Nothing was ever attached to it: a start that failed left it.
            fs::remove_dir_all(directory).map_err(file_error("remove", directory))?;
        }
    }
    let next = found.last().map_or(1, |(number, _)| number + 1);
    let directory = pins.join(format!("{PREFIX}{next}"));
    make_directory(&directory)?;
    Ok(directory)
}

/// Makes a directory that only root may enter.
pub(super) fn make_directory(path: &Path) -> Result<(), DatapathError> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mode = fs::Permissions::from_mode(0o700);
            fs::set_permissions(path, mode).map_err(file_error("restrict", path))
        }
        Err(error) => Err(file_error("make", path)(error)),
    }
}

fn directories(pins: &Path) -> Result<Vec<(u32, PathBuf)>, DatapathError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(pins).map_err(file_error("list", pins))? {
        let path = entry.map_err(file_error("list", pins))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let number = name.and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    Ok(found)
}

/// Why a directory cannot be taken over, or nothing when it can.
fn misfit(directory: &Path) -> Option<String> {
    for (name, kind, key, value, entries) in LAYOUT {
        let info = match MapData::from_pin(directory.join(name)).and_then(|map| map.info()) {
            Ok(info) => info,
            Err(error) => return Some(format!("{name}: {error}")),
        };
        let same = info.map_type().is_ok_and(|found| found == kind)
            && info.key_size() as usize == key
            && info.value_size() as usize == value
            && info.max_entries() == entries;
        if !same {
            return Some(format!("{name} has another layout"));
        }
    }
    let stamp = open_array::<Stamp>(directory, "STAMP").and_then(|stamp| read_stamp(&stamp));
    match stamp {
        Ok(stamp) if stamp.magic == STAMP_MAGIC && stamp.abi == ABI_VERSION => None,
        Ok(stamp) if stamp.magic == STAMP_MAGIC => {
            Some(format!("ABI {} of another release", stamp.abi))
        }
        Ok(_) => Some("it never held a whole policy".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

/// Whether a whole policy with a scope is pinned, or one in another layout.
pub(super) fn hold_scopes(pins: &Path) -> bool {
    let Ok(found) = directories(pins) else { return false };
    let mut complete = found.iter().filter(|(_, directory)| was_complete(directory));
    complete.any(|(_, directory)| match misfit(directory) {
        None => scope_count(directory).is_none_or(|count| count > 0),
        Some(_) => true,
    })
}

fn scope_count(directory: &Path) -> Option<u32> {
    let slot = open_array::<u32>(directory, "SELECTOR").ok()?.get(&0, 0).ok()?;
    let generation = open_array::<Generation>(directory, "GENERATIONS").ok()?.get(&slot, 0).ok()?;
    Some(generation.scope_count)
}

fn was_complete(directory: &Path) -> bool {
    let stamp = open_array::<Stamp>(directory, "STAMP").and_then(|stamp| read_stamp(&stamp));
    stamp.is_ok_and(|stamp| stamp.magic == STAMP_MAGIC)
}

fn read_stamp(stamp: &Array<MapData, Stamp>) -> Result<Stamp, DatapathError> {
    stamp.get(&0, 0).map_err(DatapathError::map("read", "STAMP"))
}

/// A map that is pinned in a directory.
pub(super) fn open_map(directory: &Path, name: &str) -> Result<MapData, DatapathError> {
    MapData::from_pin(directory.join(name)).map_err(DatapathError::map("open", name))
}

pub(super) fn open_array<T: Pod>(
    directory: &Path,
    name: &str,
) -> Result<Array<MapData, T>, DatapathError> {
    Array::try_from(Map::Array(open_map(directory, name)?))
        .map_err(DatapathError::map("open", name))
}

pub(super) fn open_counters(
    directory: &Path,
) -> Result<PerCpuArray<MapData, Counter>, DatapathError> {
    let name = "COUNTERS";
    PerCpuArray::try_from(Map::PerCpuArray(open_map(directory, name)?))
        .map_err(DatapathError::map("open", name))
}

impl World {
    /// Opens the maps of a directory, which the loader has completed.
    pub(super) fn open(
        pins: &Path,
        directory: PathBuf,
        accelerate_from: usize,
    ) -> Result<Self, DatapathError> {
        let reaper = Reaper::start().map_err(file_error("start a thread for", pins))?;
        Ok(Self {
            pins: pins.to_owned(),
            selector: open_array(&directory, "SELECTOR")?,
            generations: open_array(&directory, "GENERATIONS")?,
            port_index: open_array(&directory, "PORT_INDEX")?,
            stamp: open_array(&directory, "STAMP")?,
            counters: open_counters(&directory)?,
            tries4: Tries::open(&directory, reaper.clone(), accelerate_from)?,
            tries6: Tries::open(&directory, reaper, accelerate_from)?,
            directory,
        })
    }

    /// Where the maps are pinned.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether a whole policy has been put into the maps.
    pub(super) fn is_complete(&self) -> Result<bool, DatapathError> {
        Ok(read_stamp(&self.stamp)?.magic == STAMP_MAGIC)
    }

    /// Refuses to go on while the maps hold no policy.
    pub(super) fn require_complete(&self) -> Result<(), DatapathError> {
        if self.is_complete()? { Ok(()) } else { Err(DatapathError::Incomplete) }
    }

    /// Marks the maps as holding a whole policy.
    pub(super) fn set_complete(&mut self) -> Result<(), DatapathError> {
        let stamp = Stamp { magic: STAMP_MAGIC, abi: ABI_VERSION, reserved: 0 };
        self.stamp.set(0, stamp, 0).map_err(DatapathError::map("write", "STAMP"))
    }

    /// Sets the counters of an app's index to zero, for a new app to use.
    pub(super) fn clear_counters(&mut self, app: u32) -> Result<(), DatapathError> {
        let cpus = aya::util::nr_cpus().map_err(|(subject, source)| DatapathError::File {
            action: "read",
            path: subject.into(),
            source,
        })?;
        for reason in Reason::ALL {
            for verdict in Verdict::ALL {
                let zero =
                    PerCpuValues::try_from(vec![Counter::default(); cpus]).map_err(|source| {
                        DatapathError::File { action: "clear", path: "COUNTERS".into(), source }
                    })?;
                self.counters
                    .set(counter_cell(app, reason, verdict), zero, 0)
                    .map_err(DatapathError::map("clear", "COUNTERS"))?;
            }
        }
        Ok(())
    }

    /// Removes the sets of maps that are not this one.
    pub(super) fn remove_others(&self) -> Result<(), DatapathError> {
        for (_, directory) in directories(&self.pins)? {
            if directory != self.directory {
                fs::remove_dir_all(&directory).map_err(file_error("remove", &directory))?;
            }
        }
        Ok(())
    }
}
