//! `[[listener]]`: where the proxy listens.

use std::net::{IpAddr, SocketAddr};

use crate::config::document::{Faults, Section};

/// Where HTTPS clients come to.
const HTTPS: u16 = 443;

pub(super) fn check(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<SocketAddr> {
    let mut listeners = Vec::new();
    for section in root.sections("listener", faults) {
        section.refuse_unknown(&["address", "port"], faults);
        let port = section.number("port", 1..=u16::MAX, faults);
        let Some(address) = section.string("address", faults) else {
            let text = "is missing: give one of this host's addresses, or \"0.0.0.0\" or \"::\" for all of a family";
            section.refuse_missing("address", text, faults);
            continue;
        };
        let Ok(ip) = address.value.parse::<IpAddr>() else {
            let text = format!(
                "{:?} is not an IP address: give one such as \"192.0.2.1\", \"0.0.0.0\" or \"::\"",
                address.value
            );
            faults.refuse(&address, text);
            continue;
        };
        let listener = SocketAddr::new(ip, port.map_or(HTTPS, |port| port.value));
        if let Some(other) = listeners.iter().find(|other| covers(**other, listener)) {
            let text = if *other == listener {
                format!("{listener} is given twice: leave one of them away")
            } else {
                format!("{listener} and {other} take the same connections: leave one of them away")
            };
            faults.refuse(&address, text);
        }
        listeners.push(listener);
    }
    listeners
}

/// Whether one of two sockets could not be opened beside the other.
fn covers(one: SocketAddr, other: SocketAddr) -> bool {
    let is_for_all = one.ip().is_unspecified() || other.ip().is_unspecified();
    let is_same_place = one.ip() == other.ip() || is_for_all;
    one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && is_same_place
}
