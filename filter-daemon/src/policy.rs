//! What scopes, modes and lists compile to: tables without strings. Pure.
//!
//! Owns the order in which scopes are asked and the judgement of a session in
//! user space. Never does IO, reads no clock, and knows nothing of BPF maps
//! but the layout of their values.
//!
//! Invariants: a packet belongs to one app at most (equal scopes of two apps
//! are refused); what cannot be represented is an error, never narrowed.

mod compile;
mod cover;
mod judge;
mod lookup_table;
pub mod poptrie;
mod port_index;
mod specificity;

use std::net::IpAddr;

pub use compile::{check, compile};
use filter_common::generation::{FailSafeRecord, ScopeRecord};
pub use judge::admits;
pub use lookup_table::LookupTable;
pub(crate) use port_index::{first_portless, port_index};

use crate::access_list::PrefixSet;
use crate::app::{Mode, Scope};
use crate::config::FailSafe;

/// Everything that a verdict reads, before it has places in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Revision of the state that it was compiled from.
    pub revision: u64,
    /// Settings as flags of a generation.
    pub flags: u32,
    /// Sources that pass before any list.
    pub fail_safe: Vec<FailSafeRecord>,
    /// Scopes, most specific first; their targets are app indexes.
    pub scopes: Vec<ScopeRecord>,
    /// What stands before any port, most specific first; targets are modes.
    pub covers: Vec<ScopeRecord>,
    /// The apps, by rising index.
    pub apps: Vec<AppPolicy>,
}

/// What one app compiles to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPolicy {
    /// Its index in the kernel's tables.
    pub index: u32,
    /// Tells it from another app that had the index before.
    pub identity: u32,
    /// What a refusal does.
    pub mode: Mode,
    /// Who is let in.
    pub list: PrefixSet,
    /// Who passes before the list.
    pub hops: PrefixSet,
}

/// What the policy depends on outside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Fail-safe sources of the configuration.
    pub fail_safe: Vec<FailSafe>,
    /// The interfaces that exist now.
    pub interfaces: Vec<Interface>,
    /// Addresses that reach local ones beside their own.
    pub aliases: Vec<Alias>,
    /// The first and the last port that flows begin from which this host opens,
    /// if they are known: replies are looked for in scopes that have one of
    /// them, or, when they are not known, in all.
    pub ephemeral: Option<(u16, u16)>,
    /// The Unix second in which the kernel's boot clock began, by the clock of
    /// now.
    pub booted: i64,
}

/// An interface that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
}

/// A local address, and another one that reaches it: the broadcast address of
/// its network, or, where an IPv6 host forwards, the anycast address of its
/// subnet's routers (RFC 4291, section 2.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The local address.
    pub address: IpAddr,
    /// What reaches it as well.
    pub alias: IpAddr,
}

/// Why a state does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Two apps claim the same packets.
    #[error(
        "scope {scope} belongs to app {first} already, so app {second} cannot have it: give one of them a narrower scope, or remove it from {first}"
    )]
    ScopeConflict {
        /// What both claim.
        scope: Scope,
        /// The app that has it.
        first: String,
        /// The app that wants it.
        second: String,
    },
    /// Two apps answer to the same server name.
    #[error(
        "server name {name} belongs to app {first} already, so app {second} cannot have it: take it off one of them"
    )]
    NameConflict {
        /// What both claim.
        name: String,
        /// The app that has it.
        first: String,
        /// The app that wants it.
        second: String,
    },
    /// One app names a scope twice.
    #[error("app {app} names scope {scope} twice: leave one of them away")]
    ScopeRepeated {
        /// What is repeated.
        scope: Scope,
        /// The app.
        app: String,
    },
    /// The kernel's table has an end.
    #[error(
        "{count} scopes (broadcast addresses counted) do not fit: the kernel's table holds {limit}; join port ranges or drop destinations"
    )]
    TooManyScopes {
        /// How many are needed.
        count: usize,
        /// How many there is room for.
        limit: usize,
    },
    /// The table for later fragments has an end.
    #[error(
        "the scopes name too many combinations of destinations, protocols and interfaces ({count}, room for {limit}): join or drop destinations"
    )]
    TooManyCovers {
        /// How many are needed.
        count: usize,
        /// How many there is room for.
        limit: usize,
    },
    /// More fail-safe sources than fit.
    #[error(
        "{count} fail-safe sources do not fit: there is room for {limit}; join addresses to a CIDR"
    )]
    TooManyFailSafe {
        /// How many there are.
        count: usize,
        /// How many there is room for.
        limit: usize,
    },
}
