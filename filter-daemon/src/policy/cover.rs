//! What stands before later fragments, which carry no ports.
//!
//! A later fragment is refused only where no port of its protocol at its
//! destination is open to everybody. For each class of packets that the
//! scopes tell apart (interface, destination, protocol) this file finds the
//! least strict mode that stands before any port; ports that no scope holds
//! count as off.

use std::collections::{BTreeMap, BTreeSet};

use filter_common::address::{is_inside, octets};
use filter_common::generation::{
    COVER_GROUP, FAMILY_ANY, FAMILY_V4, FAMILY_V6, PROTOCOL_ANY, SCOPE_PORTS, ScopeRecord,
};

use crate::app::{Mode, Protocol};

/// Cover records, most specific first, without those that repeat what a less
/// specific one says.
pub(super) fn covers(scopes: &[ScopeRecord], modes: &BTreeMap<u32, Mode>) -> Vec<ScopeRecord> {
    let mut kept: Vec<ScopeRecord> = Vec::new();
    for class in classes(scopes).into_iter().rev() {
        let mode = least_strict(&class, scopes, modes);
        let inherited = kept.iter().rev().find(|record| contains(record, &class));
        let inherited = inherited.map_or(Mode::Off, |record| Mode::from_raw(record.target));
        if mode != inherited {
            kept.push(ScopeRecord { target: mode as u32, ..class });
        }
    }
    kept.reverse();
    kept
}

/// Every class of packets that the scopes tell apart, most specific first.
fn classes(scopes: &[ScopeRecord]) -> Vec<ScopeRecord> {
    let mut interfaces: BTreeSet<u32> = scopes.iter().map(|scope| scope.ifindex).collect();
    interfaces.insert(0);
    let mut places: Vec<ScopeRecord> = Vec::new();
    for family in [FAMILY_V4, FAMILY_V6] {
        let group = ScopeRecord { family, flags: COVER_GROUP, ..ScopeRecord::ANY };
        places.extend([group, ScopeRecord { family, ..ScopeRecord::ANY }]);
    }
    places.extend(scopes.iter().filter(|scope| scope.family != FAMILY_ANY).map(|scope| {
        let ScopeRecord { destination, mask, family, .. } = *scope;
        ScopeRecord { destination, mask, family, ..ScopeRecord::ANY }
    }));
    places.sort_by_key(|place| {
        (std::cmp::Reverse(octets(place.mask)), place.destination, place.family, place.flags)
    });
    places.dedup();
    let protocols = Protocol::WITH_PORTS.map(Protocol::number).into_iter().chain([PROTOCOL_ANY]);
    let protocols: Vec<u8> = protocols.collect();
    interfaces
        .into_iter()
        .rev()
        .flat_map(|ifindex| places.iter().map(move |place| (ifindex, *place)))
        .flat_map(|(ifindex, place)| {
            protocols.iter().map(move |protocol| ScopeRecord {
                ifindex,
                protocol: *protocol,
                ..place
            })
        })
        .collect()
}

/// Whether every packet of a class also falls under a less specific record.
fn contains(record: &ScopeRecord, class: &ScopeRecord) -> bool {
    (record.ifindex == 0 || record.ifindex == class.ifindex)
        && record.protocol == class.protocol
        && record.family == class.family
        && record.flags == class.flags
        && covers_destination(record, class)
}

fn covers_destination(wide: &ScopeRecord, narrow: &ScopeRecord) -> bool {
    std::iter::zip(wide.mask, narrow.mask).all(|(wide, narrow)| wide & narrow == wide)
        && is_inside(&narrow.destination, &wide.destination, &wide.mask)
}

fn least_strict(class: &ScopeRecord, scopes: &[ScopeRecord], modes: &BTreeMap<u32, Mode>) -> Mode {
    let protocols: Vec<u8> = match class.protocol {
        // The protocol is not known: any with ports, or one without.
        PROTOCOL_ANY => {
            Protocol::WITH_PORTS.map(Protocol::number).into_iter().chain([PROTOCOL_ANY]).collect()
        }
        protocol => vec![protocol],
    };
    let strictness = |protocol| {
        let holders: Vec<&ScopeRecord> =
            scopes.iter().filter(|scope| could_hold(scope, class, protocol)).collect();
        let borders = holders
            .iter()
            .flat_map(|scope| [Some(scope.port_first), scope.port_last.checked_add(1)])
            .flatten()
            .chain([0]);
        borders.map(|port| mode_at(&holders, port, modes)).min().unwrap_or(Mode::Off)
    };
    protocols.into_iter().map(strictness).min().unwrap_or(Mode::Off)
}

fn could_hold(scope: &ScopeRecord, class: &ScopeRecord, protocol: u8) -> bool {
    let portless = protocol == PROTOCOL_ANY;
    (scope.ifindex == 0 || scope.ifindex == class.ifindex)
        && (scope.family == FAMILY_ANY || scope.family == class.family)
        && (class.flags & COVER_GROUP != 0 || covers_destination(scope, class))
        && (scope.protocol == PROTOCOL_ANY || scope.protocol == protocol)
        && !(portless && scope.flags & SCOPE_PORTS != 0)
}

fn mode_at(holders: &[&ScopeRecord], port: u16, modes: &BTreeMap<u32, Mode>) -> Mode {
    holders
        .iter()
        .find(|scope| (scope.port_first..=scope.port_last).contains(&port))
        .and_then(|scope| modes.get(&scope.target).copied())
        .unwrap_or(Mode::Off)
}
