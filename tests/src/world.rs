//! The world that every packet test lives in: a host that is protected, and
//! an outside with sources that are on its list and sources that are not.
//!
//! ```text
//!   outside ── out0 ════ eth0 ── host
//!   .10 .66 .40 .99              .2 .3
//! ```

pub mod flows;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::frame::Mac;
use crate::namespace::Namespace;

/// MAC address of the host's interface.
pub const HOST_MAC: Mac = [0x02, 0x77, 0, 0, 0, 0x02];
/// MAC address of the outside's interface.
pub const OUTSIDE_MAC: Mac = [0x02, 0x77, 0, 0, 0, 0x0a];
/// Everybody's MAC address.
pub const BROADCAST_MAC: Mac = [0xff; 6];

/// The host's interface.
pub const HOST_INTERFACE: &str = "eth0";
/// A name by which nothing comes in here.
pub const OTHER_INTERFACE: &str = "eth7";
/// The outside's interface.
pub const OUTSIDE_INTERFACE: &str = "out0";

/// An address of the world in both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub u8);

/// The protected host.
pub const HOST: Place = Place(2);
/// The host's second address.
pub const HOST_SECOND: Place = Place(3);
/// A source that is listed where a scenario lists "the listed source".
pub const LISTED: Place = Place(10);
/// A source that is never listed.
pub const UNLISTED: Place = Place(66);
/// A proxy in front of the host.
pub const TRUSTED_HOP: Place = Place(40);
/// A source in the daemon's file.
pub const FAIL_SAFE: Place = Place(99);

impl Place {
    /// The IPv4 address.
    pub const fn v4(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 0, self.0)
    }

    /// The IPv6 address.
    pub const fn v6(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, self.0 as u16)
    }

    /// The address of a family.
    pub fn address(self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4().into(),
            Family::V6 => self.v6().into(),
        }
    }
}

/// An IP family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// "v4" or "v6".
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
        }
    }

    /// Whether it is IPv6.
    pub fn is_v6(self) -> bool {
        self == Self::V6
    }
}

/// The two namespaces and the wire between them.
#[derive(Debug)]
pub struct World {
    /// The protected side.
    pub host: Namespace,
    /// Everybody else.
    pub outside: Namespace,
}

impl World {
    /// A world whose wire carries frames of 1500 bytes.
    pub fn new() -> Self {
        Self::with_mtu(1500)
    }

    /// A world whose wire carries so many bytes a frame.
    pub fn with_mtu(mtu: u32) -> Self {
        let world = Self { host: Namespace::new(), outside: Namespace::new() };
        for namespace in [&world.host, &world.outside] {
            namespace.sysctl("ipv4/conf/all/rp_filter", "0");
            namespace.sysctl("ipv4/conf/default/rp_filter", "0");
            namespace.sysctl("ipv6/conf/default/accept_dad", "0");
            namespace.sysctl("ipv6/conf/default/router_solicitations", "0");
            namespace.sysctl("ipv4/icmp_ratelimit", "0");
            namespace.sysctl("ipv6/icmp/ratelimit", "0");
        }
        world.connect(mtu);
        world
    }

    /// Makes the wire, when there is none.
    pub fn connect(&self, mtu: u32) {
        self.connect_with("", mtu);
    }

    /// The same, with an index for the host's interface.
    pub fn connect_as(&self, index: u32, mtu: u32) {
        self.connect_with(&format!("index {index}"), mtu);
    }

    fn connect_with(&self, index: &str, mtu: u32) {
        self.host.ip(&format!(
            "link add {HOST_INTERFACE} {index} address {} mtu {mtu} type veth \
             peer name {OUTSIDE_INTERFACE} address {} mtu {mtu} netns {}",
            text(HOST_MAC),
            text(OUTSIDE_MAC),
            self.outside.path().display(),
        ));
        let ends = [
            (&self.host, HOST_INTERFACE, &[HOST, HOST_SECOND][..]),
            (&self.outside, OUTSIDE_INTERFACE, &[LISTED, UNLISTED, TRUSTED_HOP, FAIL_SAFE][..]),
        ];
        for (namespace, interface, places) in ends {
            namespace.ip(&format!("link set {interface} up"));
            for place in places {
                namespace.ip(&format!("addr add {}/24 brd + dev {interface}", place.v4()));
                namespace.ip(&format!("addr add {}/64 dev {interface} nodad", place.v6()));
            }
        }
    }

    /// The index of the host's interface.
    pub fn host_index(&self) -> u32 {
        self.host.interface_index(HOST_INTERFACE).expect("the wire is connected")
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn text(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}
