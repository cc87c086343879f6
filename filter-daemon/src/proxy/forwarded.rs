//! The client of a request that came through trusted hops, as its fields
//! `X-Forwarded-For` or `Forwarded` (RFC 7239) tell. Pure.
//!
//! Invariant: the list is read from its end. Each hop wrote behind what it was
//! told, so that the last address that is no trusted hop is the only one that
//! somebody trusted has seen; whatever stands in front of it, the client wrote
//! itself.

use std::net::{IpAddr, SocketAddr};

use http::header::{HeaderMap, HeaderName};

use crate::app::HopHeader;

/// The client, or nothing where the field is missing or not to be read.
pub(super) fn client(
    fields: &HeaderMap,
    header: HopHeader,
    is_hop: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match header {
        HopHeader::Proxy => return None,
        HopHeader::XForwardedFor => (HeaderName::from_static("x-forwarded-for"), address),
        HopHeader::Forwarded => (HeaderName::from_static("forwarded"), forwarded_for),
    };
    let values: Option<Vec<&str>> =
        fields.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    let values = values?;
    let elements = values.iter().rev().flat_map(|value| value.rsplit(','));
    for element in elements {
        let address = read(element.trim())?;
        if !is_hop(address) {
            return Some(address);
        }
    }
    None
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok();
    let address = address.or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The `for` of an element of `Forwarded`. A quoted text never holds a comma
/// where it is an address.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        name.eq_ignore_ascii_case("for").then(|| address(unquoted.unwrap_or(value)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: HopHeader, values: &[&str]) -> Option<String> {
        let name = match header {
            HopHeader::Proxy | HopHeader::XForwardedFor => "x-forwarded-for",
            HopHeader::Forwarded => "forwarded",
        };
        let mut fields = HeaderMap::new();
        for value in values {
            fields.append(name, value.parse().expect("a value"));
        }
        let is_hop = |address: IpAddr| address.to_string().starts_with("10.");
        client(&fields, header, is_hop).map(|address| address.to_string())
    }

    #[test]
    fn the_last_that_is_no_hop_counts() {
        for (values, client) in [
            (&["192.0.2.7"][..], Some("192.0.2.7")),
            (&["198.51.100.1, 192.0.2.7"], Some("192.0.2.7")),
            (&["198.51.100.1, 192.0.2.7, 10.0.0.1"], Some("192.0.2.7")),
            (&["192.0.2.7", "10.0.0.2,10.0.0.1"], Some("192.0.2.7")),
            (&["nonsense, 192.0.2.7"], Some("192.0.2.7")),
            (&["192.0.2.7:4321"], Some("192.0.2.7")),
            (&["[2001:db8::7]:4321"], Some("2001:db8::7")),
            (&["2001:db8::7"], Some("2001:db8::7")),
            (&["::ffff:192.0.2.7"], Some("192.0.2.7")),
            (&["192.0.2.7, nonsense"], None),
            (&["192.0.2.7,"], None),
            (&["10.0.0.1"], None),
            (&["unknown"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(found(HopHeader::XForwardedFor, values).as_deref(), client, "{values:?}");
        }
    }

    #[test]
    fn the_standard_field_is_read_as_well() {
        for (values, client) in [
            (&["for=192.0.2.7"][..], Some("192.0.2.7")),
            (&["For=\"[2001:db8::7]:4711\";proto=https"], Some("2001:db8::7")),
            (&["for=198.51.100.1, for=192.0.2.7;by=10.0.0.1, for=10.0.0.2"], Some("192.0.2.7")),
            (&["for=192.0.2.7, for=_hidden"], None),
            (&["by=192.0.2.7"], None),
            (&["192.0.2.7"], None),
        ] {
            assert_eq!(found(HopHeader::Forwarded, values).as_deref(), client, "{values:?}");
        }
    }
}
