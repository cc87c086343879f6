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
    let (name, form) = match header {
        HopHeader::Proxy => return None,
        HopHeader::XForwardedFor => (HeaderName::from_static("x-forwarded-for"), BARE),
        HopHeader::Forwarded => (HeaderName::from_static("forwarded"), STANDARD),
    };
    for value in fields.get_all(name).iter().rev() {
        for element in (form.split)(value.to_str().ok()?)?.into_iter().rev() {
            let address = (form.read)(element.trim())?;
            if !is_hop(address) {
                return Some(address);
            }
        }
    }
    None
}

/// How a field is read: its elements, and the address that one of them names.
struct Form {
    split: fn(&str) -> Option<Vec<&str>>,
    read: fn(&str) -> Option<IpAddr>,
}

const BARE: Form = Form { split: |value| Some(value.split(',').collect()), read: address };
const STANDARD: Form = Form { split: |value| split_unquoted(value, ','), read: forwarded_for };

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok();
    let address = address.or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The one `for` of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split_unquoted(element, ';')? {
        let (name, value) = pair.trim().split_once('=')?;
        if name.eq_ignore_ascii_case("for") && found.replace(unquoted(value)?).is_some() {
            return None;
        }
    }
    address(found?)
}

/// The parts between separators that stand in no quoted text; nothing where a
/// quoted text has no end.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|c| {
        let is_plain = !std::mem::take(&mut is_escaped);
        is_escaped = is_plain && is_quoted && c == '\\';
        is_quoted ^= is_plain && c == '"';
        !is_quoted && c == separator
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

/// A token, or what a quoted text holds: an address needs no escapes.
fn unquoted(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Some(inside.unwrap_or(value)).filter(|text| !text.contains(['"', '\\']))
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
            (&["for=198.51.100.1;host=\"a, for=192.0.2.7;x=\""], Some("198.51.100.1")),
            (&["host=\"a;for=192.0.2.7;x=\";for=198.51.100.1"], Some("198.51.100.1")),
            (&["host=\"a\\\", for=192.0.2.7;x=\";for=198.51.100.1"], Some("198.51.100.1")),
            (&["for=unknown;for=192.0.2.7"], None),
            (&["for=192.0.2.7;for=192.0.2.7"], None),
            (&["for=192.0.2.7;for"], None),
            (&["host=\"a, for=192.0.2.7"], None),
            (&["for=192.0.2.7;host=\"a\\\""], None),
            (&["for=\"192.0.2.7"], None),
            (&["for=\"192.0.2.\\7\""], None),
        ] {
            assert_eq!(found(HopHeader::Forwarded, values).as_deref(), client, "{values:?}");
        }
    }
}
