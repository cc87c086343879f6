//! Keys and values of the LPM tries that hold the allowed prefixes.

use crate::pod;

/// Bytes of an IPv4 key: the address in network order.
pub type Key4 = [u8; 4];

/// Bytes of an IPv6 key: the address in network order.
pub type Key6 = [u8; 16];

/// How many tries the kernel side has places for, per family. Place 0 is
/// never filled: an app that points to it admits nobody.
pub const TRIE_PLACES: u32 = 1024;

/// The most entries that one trie takes.
pub const TRIE_CAPACITY: u32 = 1 << 21;

/// Where a list is: its place, and [`ACCELERATED`] when a table stands in front
/// of the trie there.
pub type ListRef = u32;

/// See [`ListRef`].
pub const ACCELERATED: ListRef = 1 << 31;

/// The place of a list.
#[inline(always)]
pub const fn place(list: ListRef) -> u32 {
    list & !ACCELERATED
}

/// What a prefix in a trie points to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrieValue {
    /// The stable number of the entry that wrote the prefix.
    pub entry: u32,
    /// Boot-clock second after which the prefix admits nobody; 0 is never.
    pub expires_boot_s: u32,
}

/// What the user side notes about the trie in one place, to know it again
/// after a restart. No verdict reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TrieNote {
    /// Sum of the hashes of all (prefix, value) pairs; see `policy::digest`.
    pub digest: u64,
    /// How many prefixes the trie holds.
    pub entries: u32,
    /// 1 when digest and count are true, 0 while a change is under way.
    pub settled: u32,
}

const _: () = assert!(size_of::<TrieValue>() == 8 && align_of::<TrieValue>() == 4);
const _: () = assert!(size_of::<TrieNote>() == 16);

pod!(TrieValue, TrieNote);
