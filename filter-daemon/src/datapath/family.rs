//! The two address families: what is the same for both but for the types.

use std::fmt::Debug;

use aya::Pod;
use aya::maps::lpm_trie::Key;
use filter_common::generation::AppRecord;
use filter_common::trie::{Key4, Key6};
use ipnet::{Ipv4Net, Ipv6Net};

use crate::access_list::{PrefixSet, PrefixTable};
use crate::policy::poptrie::Net;

/// IPv4 or IPv6, as the tries of that family need it.
pub(super) trait Family: Debug + 'static {
    /// A prefix.
    type Net: Net + Debug + Send + Sync;
    /// The address bytes of a trie's key.
    type Address: Pod + Send;
    /// The outer map.
    const OUTER: &'static str;
    /// The outer map of the fronts of tables.
    const FRONTS: &'static str;
    /// The outer map of the pieces of tables.
    const PIECES: &'static str;
    /// The notes.
    const NOTES: &'static str;
    /// What pins of single tries start with.
    const TRIE: &'static str;
    /// What pins of single tables start with.
    const TABLE: &'static str;

    /// The key of a prefix.
    fn key(net: Self::Net) -> Key<Self::Address>;
    /// The family's table of a set.
    fn table(set: &PrefixSet) -> &PrefixTable<Self::Net>;
    /// Where an app's record says which place a table has.
    fn place(record: &mut AppRecord, kind: Kind) -> &mut u32;
}

/// Which table of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The access list.
    List,
    /// The trusted hops.
    Hops,
}

/// IPv4.
#[derive(Debug)]
pub(super) struct V4;

/// IPv6.
#[derive(Debug)]
pub(super) struct V6;

impl Family for V4 {
    type Net = Ipv4Net;
    type Address = Key4;
    const OUTER: &'static str = "TRIES4";
    const NOTES: &'static str = "NOTES4";
    const TRIE: &'static str = "trie4-";
    const FRONTS: &'static str = "FRONTS4";
    const PIECES: &'static str = "PIECES4";
    const TABLE: &'static str = "table4-";

    fn key(net: Ipv4Net) -> Key<Key4> {
        Key::new(net.prefix_len().into(), net.network().octets())
    }

    fn table(set: &PrefixSet) -> &PrefixTable<Ipv4Net> {
        set.v4()
    }

    fn place(record: &mut AppRecord, kind: Kind) -> &mut u32 {
        match kind {
            Kind::List => &mut record.list4,
            Kind::Hops => &mut record.hops4,
        }
    }
}

impl Family for V6 {
    type Net = Ipv6Net;
    type Address = Key6;
    const OUTER: &'static str = "TRIES6";
    const NOTES: &'static str = "NOTES6";
    const TRIE: &'static str = "trie6-";
    const FRONTS: &'static str = "FRONTS6";
    const PIECES: &'static str = "PIECES6";
    const TABLE: &'static str = "table6-";

    fn key(net: Ipv6Net) -> Key<Key6> {
        Key::new(net.prefix_len().into(), net.network().octets())
    }

    fn table(set: &PrefixSet) -> &PrefixTable<Ipv6Net> {
        set.v6()
    }

    fn place(record: &mut AppRecord, kind: Kind) -> &mut u32 {
        match kind {
            Kind::List => &mut record.list6,
            Kind::Hops => &mut record.hops6,
        }
    }
}
