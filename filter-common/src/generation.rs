//! A generation: everything a verdict reads but the tries themselves.

use crate::address::{self, Address};
use crate::pod;

/// How many apps there are room for; index 0 means "no app".
pub const MAX_APPS: usize = 128;

/// How many scope records, and how many cover records, a generation holds.
pub const MAX_SCOPES: usize = 256;

/// How many fail-safe sources a generation holds.
pub const MAX_FAIL_SAFE: usize = 16;

/// How many ports there are.
pub const PORTS: usize = 1 << 16;

/// The two places of generations; the selector names the one in force.
pub const GENERATION_SLOTS: u32 = 2;

/// Setting: DHCP towards this host's clients passes before any list.
pub const FLAG_DHCP: u32 = 1 << 0;

/// Setting: frames that are not IP are refused.
pub const FLAG_NON_IP_DROP: u32 = 1 << 1;

/// [`ScopeRecord::family`]: either family.
pub const FAMILY_ANY: u8 = 0;
/// [`ScopeRecord::family`]: IPv4.
pub const FAMILY_V4: u8 = 4;
/// [`ScopeRecord::family`]: IPv6.
pub const FAMILY_V6: u8 = 6;

/// [`ScopeRecord::protocol`] of a scope: any protocol. Of a cover record: the
/// protocol behind the fragment header is not known.
pub const PROTOCOL_ANY: u8 = 0;

/// [`ScopeRecord::flags`]: the record names ports; only protocols that have
/// ports fit.
pub const SCOPE_PORTS: u8 = 1 << 0;

/// [`ScopeRecord::flags`]: the scope names ports, and this host begins no flow
/// from any of them: nothing that comes in there is a reply.
pub const SCOPE_SERVED: u8 = 1 << 2;

/// [`ScopeRecord::flags`]: a cover record for multicast and broadcast
/// destinations, which any scope's destination fits.
pub const COVER_GROUP: u8 = 1 << 1;

/// A source that passes before any list is looked at.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailSafeRecord {
    /// Network address.
    pub address: Address,
    /// Network mask.
    pub mask: Address,
    /// Destination port in host order.
    pub port: u16,
    /// 1 when only `port` passes, 0 when everything does.
    pub port_only: u8,
    /// [`FAMILY_V4`] or [`FAMILY_V6`].
    pub family: u8,
}

/// An app as the program sees it. Trie numbers are places in the outer maps.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AppRecord {
    /// A [`crate::verdict::Mode`].
    pub mode: u32,
    /// Place of the IPv4 access list, 0 for none.
    pub list4: u32,
    /// Place of the IPv6 access list, 0 for none.
    pub list6: u32,
    /// Place of the IPv4 trusted hops, 0 for none.
    pub hops4: u32,
    /// Place of the IPv6 trusted hops, 0 for none.
    pub hops6: u32,
    /// Tells apps apart that had the same index one after the other. No
    /// verdict reads it.
    pub identity: u32,
}

/// One scope of an app, or one cover record; most specific first in the table.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeRecord {
    /// Destination network; zero for any.
    pub destination: Address,
    /// Network mask; zero for any.
    pub mask: Address,
    /// Interface index, 0 for any.
    pub ifindex: u32,
    /// App index of a scope; [`crate::verdict::Mode`] of a cover record.
    pub target: u32,
    /// First port, in host order.
    pub port_first: u16,
    /// Last port, in host order.
    pub port_last: u16,
    /// [`FAMILY_ANY`], [`FAMILY_V4`] or [`FAMILY_V6`].
    pub family: u8,
    /// IP protocol number or [`PROTOCOL_ANY`].
    pub protocol: u8,
    /// [`SCOPE_PORTS`], [`SCOPE_SERVED`], [`COVER_GROUP`].
    pub flags: u8,
    /// Always zero.
    pub reserved: u8,
}

/// Everything a verdict reads, in one map value.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Revision of the state that it was compiled from.
    pub revision: u64,
    /// How many of `scopes` are in use.
    pub scope_count: u32,
    /// How many of `covers` are in use.
    pub cover_count: u32,
    /// How many of `fail_safe` are in use.
    pub fail_safe_count: u32,
    /// [`FLAG_DHCP`], [`FLAG_NON_IP_DROP`].
    pub flags: u32,
    /// Position of the first scope that holds packets of protocols without
    /// ports; `scope_count` or more when there is none.
    pub first_portless: u32,
    /// The slot that it lies in, and its port index with it.
    pub slot: u32,
    /// By app index.
    pub apps: [AppRecord; MAX_APPS],
    /// Fail-safe sources.
    pub fail_safe: [FailSafeRecord; MAX_FAIL_SAFE],
    /// Scopes, most specific first.
    pub scopes: [ScopeRecord; MAX_SCOPES],
    /// For later fragments: the least strict mode that stands before any port
    /// of a protocol at a destination; most specific first.
    pub covers: [ScopeRecord; MAX_SCOPES],
}

impl ScopeRecord {
    /// A record that fits everything and points nowhere.
    pub const ANY: Self = Self {
        destination: address::ZERO,
        mask: address::ZERO,
        ifindex: 0,
        target: 0,
        port_first: 0,
        port_last: u16::MAX,
        family: FAMILY_ANY,
        protocol: PROTOCOL_ANY,
        flags: 0,
        reserved: 0,
    };
}

impl FailSafeRecord {
    /// Filler of unused places.
    pub const UNUSED: Self = Self {
        address: address::ZERO,
        mask: address::ZERO,
        port: 0,
        port_only: 0,
        family: FAMILY_ANY,
    };
}

impl Generation {
    /// A generation without apps, scopes or fail-safe sources.
    pub const EMPTY: Self = Self {
        revision: 0,
        scope_count: 0,
        cover_count: 0,
        fail_safe_count: 0,
        flags: 0,
        first_portless: 0,
        slot: 0,
        apps: [AppRecord { mode: 0, list4: 0, list6: 0, hops4: 0, hops6: 0, identity: 0 };
            MAX_APPS],
        fail_safe: [FailSafeRecord::UNUSED; MAX_FAIL_SAFE],
        scopes: [ScopeRecord::ANY; MAX_SCOPES],
        covers: [ScopeRecord::ANY; MAX_SCOPES],
    };
}

const _: () = assert!(size_of::<FailSafeRecord>() == 36);
const _: () = assert!(size_of::<AppRecord>() == 24);
const _: () = assert!(size_of::<ScopeRecord>() == 48);
const _: () = assert!(
    size_of::<Generation>() == 32 + 24 * MAX_APPS + 36 * MAX_FAIL_SAFE + 2 * 48 * MAX_SCOPES
);

/// By port in host order, where the search for a packet's app starts: the
/// position of the first scope that could hold it, in the bits of
/// [`SCOPE_POSITION`], and perhaps [`EXPRESS`].
pub type PortIndex = [u16; PORTS];

/// In a port index: the bits of a scope's position. One that is no smaller than
/// the number of scopes says that no scope holds the port.
pub const SCOPE_POSITION: u16 = 0x01ff;

/// In a port index: the scope there looks at neither interface nor destination,
/// and no fail-safe source may reach the port.
pub const EXPRESS: u16 = 0x8000;

pod!(Generation);
