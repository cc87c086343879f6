//! Who a connection is from, when connections or failures are counted. Pure.

use std::net::IpAddr;

use crate::access_list::Prefix;

/// How much of an IPv6 address one customer usually has to choose from.
const V6_LENGTH: u8 = 64;

/// An IPv4 address, or the network of an IPv6 address: whoever holds one
/// address of it holds them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source(Prefix);

impl Source {
    /// The source that an address belongs to. An IPv4-mapped address counts as
    /// IPv4.
    pub(crate) fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let length = if address.is_ipv4() { 32 } else { V6_LENGTH };
        Self(Prefix::new(ipnet::IpNet::new_assert(address, length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_source() {
        let source = |text: &str| Source::of(text.parse().expect("an address"));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("::ffff:192.0.2.1"), source("::ffff:192.0.2.2"));
    }
}
