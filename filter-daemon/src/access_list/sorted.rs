//! Many prefixes in order, one family after the other. In this order a table
//! takes them, and finds them, far quicker than in any other.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::prefix::Prefix;

/// Prefixes with a number each; equal ones by their numbers.
pub(super) struct Sorted {
    pub(super) v4: Vec<(Ipv4Net, u32)>,
    pub(super) v6: Vec<(Ipv6Net, u32)>,
}

impl Sorted {
    pub(super) fn new(prefixes: impl IntoIterator<Item = (Prefix, u32)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (prefix, number) in prefixes {
            match prefix.network() {
                IpNet::V4(network) => v4.push((network, number)),
                IpNet::V6(network) => v6.push((network, number)),
            }
        }
        v4.sort_unstable_by_key(|(network, number)| {
            (u32::from(network.addr()), network.prefix_len(), *number)
        });
        v6.sort_unstable_by_key(|(network, number)| {
            (u128::from(network.addr()), network.prefix_len(), *number)
        });
        Self { v4, v6 }
    }
}
