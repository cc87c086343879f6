//! Which addresses some networks cover: what the filters are held against.
//! Shares no code with any of them.

use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges in order, none touching another.
#[derive(Clone, Debug)]
pub(crate) struct Cover {
    ranges: Vec<(u128, u128)>,
}

impl Cover {
    /// The cover of networks of one family.
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        let mut ranges: Vec<(u128, u128)> = networks
            .iter()
            .map(|network| (number(network.network()), number(network.broadcast())))
            .collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let joins = next.0 <= last.1.saturating_add(1);
            if joins {
                last.1 = last.1.max(next.1);
            }
            joins
        });
        Self { ranges }
    }

    /// Whether an address of the family is covered.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let number = number(address);
        let behind = self.ranges.partition_point(|(first, _)| *first <= number);
        behind.checked_sub(1).is_some_and(|place| number <= self.ranges[place].1)
    }
}

/// An address as a number.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
