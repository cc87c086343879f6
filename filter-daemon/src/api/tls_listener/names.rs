//! The names and addresses by which clients reach the listeners, for the
//! daemon's own certificate.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use nix::ifaddrs::getifaddrs;

/// The host's name, if it has one that a certificate can hold.
pub(super) fn host() -> Option<String> {
    let name = nix::sys::utsname::uname().ok()?.nodename().to_str()?.to_owned();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!name.is_empty() && name.chars().all(letters)).then_some(name)
}

/// All of them, in order.
pub(super) fn names(listen: &[SocketAddr]) -> Vec<String> {
    let mut addresses = BTreeSet::new();
    for listener in listen.iter().map(SocketAddr::ip) {
        if listener.is_unspecified() {
            // An IPv6 one may take IPv4 too.
            let takes = |address: &IpAddr| address.is_ipv4() || listener.is_ipv6();
            addresses.extend(host_addresses().into_iter().filter(takes));
        } else {
            addresses.insert(listener);
        }
    }
    let names = ["localhost".to_owned()].into_iter().chain(host());
    let names: BTreeSet<_> = names.chain(addresses.iter().map(ToString::to_string)).collect();
    names.into_iter().collect()
}

/// What the host's interfaces have, but for addresses that mean nothing
/// without an interface.
fn host_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else { return Vec::new() };
    let addresses = interfaces.filter_map(|interface| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    });
    let is_link_local =
        |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    addresses.filter(|address| !is_link_local(address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_named_and_open_ones_by_the_hosts_addresses() {
        let named = names(&["192.0.2.1:8443".parse().expect("a place")]);
        assert!(named.contains(&"localhost".to_owned()) && named.contains(&"192.0.2.1".to_owned()));
        assert!(!named.contains(&"127.0.0.1".to_owned()), "{named:?}");
        let open = names(&["0.0.0.0:8443".parse().expect("a place")]);
        assert!(open.contains(&"127.0.0.1".to_owned()), "{open:?}");
        assert!(!open.contains(&"::1".to_owned()) && !open.contains(&"0.0.0.0".to_owned()));
    }
}
