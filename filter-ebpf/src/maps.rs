//! The maps, by the names that `datapath` knows them by.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::btf_maps::{Array, ArrayOfMaps, LpmTrie, PerCpuArray, PerCpuHashMap, RingBuf};
use aya_ebpf::macros::btf_map;
use filter_common::counter::{COUNTER_CELLS, Counter};
use filter_common::event::{EVENT_RING_BYTES, Event, EventBudget};
use filter_common::generation::{GENERATION_SLOTS, Generation, PortIndex};
use filter_common::hit::{HIT_ENTRIES, Hit};
use filter_common::poptrie::{FRONT_MAP_FLAGS, Front, Line, PIECE_MAP_FLAGS, PIECE_PLACES};
use filter_common::stamp::Stamp;
use filter_common::trie::{Key4, Key6, TRIE_CAPACITY, TRIE_PLACES, TrieNote, TrieValue};

/// A value of an inner map: an array, so that Linux 6.1 takes the inner maps
/// that the daemon makes. It compares what it knows of timers in the values of an
/// inner map and of its pattern, and "none in this struct", which it learns
/// from BTF, is to it not the same as "no struct", which is all that it knows
/// of a map without BTF.
type Value<T> = [T; 1];

/// An LPM trie of IPv4 prefixes.
pub(crate) type Trie4 = LpmTrie<Key4, Value<TrieValue>, { TRIE_CAPACITY as usize }>;

/// An LPM trie of IPv6 prefixes.
pub(crate) type Trie6 = LpmTrie<Key6, Value<TrieValue>, { TRIE_CAPACITY as usize }>;

/// What a table in front of a trie begins with.
pub(crate) type FrontMap = Array<Value<Front>, 1, { FRONT_MAP_FLAGS as usize }>;

/// The lines of a piece of such a table; each has a length of its own.
pub(crate) type Piece = Array<Value<Line>, 1, { PIECE_MAP_FLAGS as usize }>;

/// Which of the two generations is in force.
#[btf_map]
static SELECTOR: Array<u32, 1> = Array::new();

/// The two generations.
#[btf_map]
static GENERATIONS: Array<Generation, { GENERATION_SLOTS as usize }> = Array::new();

/// Their port indexes.
#[btf_map]
pub(crate) static PORT_INDEX: Array<PortIndex, { GENERATION_SLOTS as usize }> = Array::new();

/// IPv4 tries by place.
#[btf_map]
pub(crate) static TRIES4: ArrayOfMaps<Trie4, { TRIE_PLACES as usize }> = ArrayOfMaps::new();

/// IPv6 tries by place.
#[btf_map]
pub(crate) static TRIES6: ArrayOfMaps<Trie6, { TRIE_PLACES as usize }> = ArrayOfMaps::new();

/// The fronts of the tables of IPv4 tries, by the place of the trie.
#[btf_map]
pub(crate) static FRONTS4: ArrayOfMaps<FrontMap, { TRIE_PLACES as usize }> = ArrayOfMaps::new();

/// The fronts of the tables of IPv6 tries, by the place of the trie.
#[btf_map]
pub(crate) static FRONTS6: ArrayOfMaps<FrontMap, { TRIE_PLACES as usize }> = ArrayOfMaps::new();

/// The pieces of the tables of IPv4 tries, by the place of the trie.
#[btf_map]
pub(crate) static PIECES4: ArrayOfMaps<Piece, { PIECE_PLACES as usize }> = ArrayOfMaps::new();

/// The pieces of the tables of IPv6 tries, by the place of the trie.
#[btf_map]
pub(crate) static PIECES6: ArrayOfMaps<Piece, { PIECE_PLACES as usize }> = ArrayOfMaps::new();

/// What user space notes about the IPv4 tries. Not read here.
#[btf_map]
static NOTES4: Array<TrieNote, { TRIE_PLACES as usize }> = Array::new();

/// What user space notes about the IPv6 tries. Not read here.
#[btf_map]
static NOTES6: Array<TrieNote, { TRIE_PLACES as usize }> = Array::new();

/// The mark of a complete set of maps. Not read here.
#[btf_map]
static STAMP: Array<Stamp, 1> = Array::new();

/// Packets and bytes by app, reason and verdict.
#[btf_map]
pub(crate) static COUNTERS: PerCpuArray<Counter, { COUNTER_CELLS as usize }> = PerCpuArray::new();

/// Hits by entry number.
#[btf_map]
pub(crate) static HITS: PerCpuHashMap<
    u32,
    Hit,
    { HIT_ENTRIES as usize },
    { BPF_F_NO_PREALLOC as usize },
> = PerCpuHashMap::new();

/// Sampled refusals.
#[btf_map]
pub(crate) static EVENTS: RingBuf<Event, { EVENT_RING_BYTES as usize }> = RingBuf::new();

/// What is left of each CPU's share of the samples.
#[btf_map]
pub(crate) static EVENT_BUDGET: PerCpuArray<EventBudget, 1> = PerCpuArray::new();

/// The maps that only user space reads and writes: naming them here makes the
/// loader create them with the others.
#[inline(always)]
pub(crate) fn keep_user_maps() {
    core::hint::black_box((&raw const NOTES4, &raw const NOTES6, &raw const STAMP));
}

/// The generation in force.
#[inline(always)]
pub(crate) fn generation() -> Option<&'static Generation> {
    let slot = SELECTOR.get_ptr(0)?;
    // SAFETY: the pointer is to a live, aligned u32 of an array map; user
    // space writes it while we read, hence volatile.
    let slot = unsafe { slot.read_volatile() };
    GENERATIONS.get(slot)
}
