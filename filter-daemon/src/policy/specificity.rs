//! The order in which scopes are asked: the most specific one first.

use std::cmp::Reverse;

use ipnet::IpNet;

use crate::access_list::Prefix;
use crate::app::Scope;

/// Sorts scopes; the smaller key is the more specific scope. The fields are
/// the steps of `packets.md`, section 1, in their order; the last one only
/// makes the order total among ranges of one width.
pub(super) fn specificity(scope: &Scope) -> impl Ord + use<> {
    let class = match (scope.destination, scope.ports, scope.protocol) {
        (Some(_), Some(_), _) => 0,
        (None, Some(_), _) => 1,
        (Some(_), None, _) => 2,
        (None, None, Some(_)) => 3,
        (None, None, None) => 4,
    };
    let destination_bits = scope.destination.map_or(0, bits);
    let ports = scope.ports.map_or((u16::MAX, 0), |p| (p.last() - p.first(), p.first()));
    (
        class,
        Reverse(destination_bits),
        ports.0,
        scope.protocol.is_none(),
        scope.interface.is_none(),
        ports.1,
    )
}

/// How many bits a destination fixes, on the scale of IPv6.
fn bits(destination: Prefix) -> u8 {
    match destination.network() {
        IpNet::V4(network) => network.prefix_len() + 96,
        IpNet::V6(network) => network.prefix_len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_the_table() {
        let expected = [
            "port=443,protocol=tcp,to=192.0.2.1/32",
            "port=443,to=192.0.2.1/32",
            "port=443,to=192.0.2.0/24",
            "port=443,protocol=tcp,interface=eth0",
            "port=443,protocol=tcp",
            "port=443",
            "port=400-500",
            "to=192.0.2.1/32",
            "to=192.0.2.0/24",
            "protocol=tcp",
            "interface=eth0",
            "host",
        ];
        let mut scopes: Vec<Scope> =
            expected.iter().rev().map(|text| text.parse().expect("valid")).collect();
        scopes.sort_by_key(specificity);
        let sorted: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, expected);
    }
}
