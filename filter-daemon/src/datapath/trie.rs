//! One trie in the kernel: filling it, changing it, reading it back.

use std::fmt;
use std::os::fd::AsFd as _;
use std::time::Duration;

use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{IterableMap as _, MapData, MapError};
use filter_common::trie::{TRIE_CAPACITY, TrieValue};

use super::family::Family;
use super::syscall;
use crate::access_list::PrefixTable;

const BPF_F_NO_PREALLOC: u32 = 1;

/// How often an insertion is tried again when the kernel is short of memory,
/// and how long in between. Tries allocate each node by itself, and the
/// allocator's reserve of a CPU can run dry for a moment.
const MEMORY_TRIES: u32 = 50;
const MEMORY_PAUSE: Duration = Duration::from_millis(2);

/// A trie of a family.
pub(super) type Trie<F> = LpmTrie<MapData, <F as Family>::Address, TrieValue>;

/// One change of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyChange<N> {
    /// Inserts, or gives another value.
    Put(N, TrieValue),
    /// Removes.
    Remove(N),
}

impl<N: Copy> KeyChange<N> {
    /// The prefix that it is about.
    pub(super) fn net(&self) -> N {
        match self {
            Self::Put(net, _) | Self::Remove(net) => *net,
        }
    }
}

/// Why a trie does not hold what it should.
#[derive(Debug)]
pub(super) enum TrieError {
    Kernel(String),
    /// What was written is not what is read: at a prefix.
    ReadBack(String),
}

/// Makes a trie of a list; it is in force nowhere yet.
pub(super) fn build<F: Family>(table: &PrefixTable<F::Net>) -> Result<Trie<F>, TrieError> {
    let trie = create::<F>(TRIE_CAPACITY)?;
    let keys: Vec<Key<F::Address>> = table.prefixes().keys().map(|net| F::key(*net)).collect();
    let values: Vec<TrieValue> = table.prefixes().values().copied().collect();
    insert_all(&trie, &keys, &values).map_err(TrieError::kernel)?;
    for (net, value) in table.prefixes() {
        if found::<F>(&trie, *net) != Some(*value) {
            return Err(TrieError::ReadBack(format!("{net:?}")));
        }
    }
    Ok(trie)
}

/// An empty trie.
pub(super) fn create<F: Family>(capacity: u32) -> Result<Trie<F>, TrieError> {
    Trie::<F>::create(capacity, BPF_F_NO_PREALLOC).map_err(TrieError::kernel)
}

/// Makes one change, seen whole or not at all.
pub(super) fn change<F: Family>(
    trie: &mut Trie<F>,
    change: &KeyChange<F::Net>,
) -> Result<(), TrieError> {
    let holds = match change {
        KeyChange::Put(net, value) => {
            put(trie, F::key(*net), *value).map_err(TrieError::kernel)?;
            found::<F>(trie, *net) == Some(*value)
        }
        KeyChange::Remove(net) => {
            trie.remove(&F::key(*net)).map_err(TrieError::kernel)?;
            // A lookup would find a wider prefix; a second removal finds nothing.
            trie.remove(&F::key(*net)).is_err_and(|error| is_absent(&error))
        }
    };
    if holds { Ok(()) } else { Err(TrieError::ReadBack(format!("{change:?}"))) }
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

impl TrieError {
    fn kernel(error: impl fmt::Display) -> Self {
        Self::Kernel(error.to_string())
    }
}
