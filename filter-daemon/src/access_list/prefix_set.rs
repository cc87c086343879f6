//! The set of prefixes that a list stands for, one table a family.
//!
//! Persistent maps, so that a copy costs nothing and the difference of two
//! versions costs what differs.

use std::net::IpAddr;

use filter_common::trie::TrieValue;
use imbl::OrdMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use xxhash_rust::xxh3::xxh3_64;

use super::prefix::Prefix;
use super::sorted::Sorted;

/// Prefixes of one family and a digest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixTable<N: Ord> {
    prefixes: OrdMap<N, TrieValue>,
    digest: u64,
}

/// Prefixes of both families, kept apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixSet {
    v4: PrefixTable<Ipv4Net>,
    v6: PrefixTable<Ipv6Net>,
}

impl<N: Ord + Copy + Into<IpNet>> PrefixTable<N> {
    /// The prefixes in order, with what they point to.
    pub fn prefixes(&self) -> &OrdMap<N, TrieValue> {
        &self.prefixes
    }

    /// Sum of the hashes of all (prefix, value) pairs; it tells two tables
    /// apart and is kept up to date by every change.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Inserts or replaces; answers what was there.
    pub fn insert(&mut self, prefix: N, value: TrieValue) -> Option<TrieValue> {
        let previous = self.prefixes.insert(prefix, value);
        if let Some(previous) = previous {
            self.digest = self.digest.wrapping_sub(pair_hash(prefix.into(), previous));
        }
        self.digest = self.digest.wrapping_add(pair_hash(prefix.into(), value));
        previous
    }

    /// Inserts entries by their numbers, or answers the two that have a prefix
    /// in common.
    fn extend(&mut self, sorted: Vec<(N, u32)>) -> Result<(), [u32; 2]> {
        for (prefix, entry) in sorted {
            if let Some(existing) = self.insert(prefix, TrieValue { entry, expires_boot_s: 0 }) {
                return Err([existing.entry, entry]);
            }
        }
        Ok(())
    }

    /// Removes; answers what was there.
    pub fn remove(&mut self, prefix: &N) -> Option<TrieValue> {
        let previous = self.prefixes.remove(prefix)?;
        self.digest = self.digest.wrapping_sub(pair_hash((*prefix).into(), previous));
        Some(previous)
    }
}

/// Of all the bytes of a pair, which have a place each, so that no two pairs
/// look alike. XXH3 is the same in every build.
fn pair_hash(prefix: IpNet, value: TrieValue) -> u64 {
    let mut pair = [0; 26];
    match prefix.addr() {
        IpAddr::V4(address) => pair[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => pair[..16].copy_from_slice(&address.octets()),
    }
    pair[16] = prefix.max_prefix_len();
    pair[17] = prefix.prefix_len();
    pair[18..22].copy_from_slice(&value.entry.to_be_bytes());
    pair[22..].copy_from_slice(&value.expires_boot_s.to_be_bytes());
    xxh3_64(&pair)
}

impl PrefixSet {
    /// The IPv4 prefixes.
    pub fn v4(&self) -> &PrefixTable<Ipv4Net> {
        &self.v4
    }

    /// The IPv6 prefixes.
    pub fn v6(&self) -> &PrefixTable<Ipv6Net> {
        &self.v6
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.v4.prefixes.len() + self.v6.prefixes.len()
    }

    /// Whether nobody is admitted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a prefix itself points to.
    pub fn get(&self, prefix: Prefix) -> Option<TrieValue> {
        match prefix.network() {
            IpNet::V4(network) => self.v4.prefixes.get(&network).copied(),
            IpNet::V6(network) => self.v6.prefixes.get(&network).copied(),
        }
    }

    /// Inserts or replaces; answers what was there.
    pub fn insert(&mut self, prefix: Prefix, value: TrieValue) -> Option<TrieValue> {
        match prefix.network() {
            IpNet::V4(network) => self.v4.insert(network, value),
            IpNet::V6(network) => self.v6.insert(network, value),
        }
    }

    /// Inserts the prefixes of many entries, or answers the numbers of two that
    /// have one in common; the set is of no use then.
    pub(super) fn extend(&mut self, sorted: Sorted) -> Result<(), [u32; 2]> {
        self.v4.extend(sorted.v4)?;
        self.v6.extend(sorted.v6)
    }

    /// Removes; answers what was there.
    pub fn remove(&mut self, prefix: Prefix) -> Option<TrieValue> {
        match prefix.network() {
            IpNet::V4(network) => self.v4.remove(&network),
            IpNet::V6(network) => self.v6.remove(&network),
        }
    }

    /// The most specific prefix that covers an address. An IPv4-mapped
    /// address is looked up among the IPv4 prefixes.
    pub fn lookup(&self, address: IpAddr) -> Option<(Prefix, TrieValue)> {
        let longest = IpNet::from(address.to_canonical());
        (0..=longest.prefix_len()).rev().find_map(|length| {
            let candidate = Prefix::new(IpNet::new_assert(longest.addr(), length));
            self.get(candidate).map(|value| (candidate, value))
        })
    }
}
