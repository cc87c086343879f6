//! Where the search for a packet's app starts: by port, the first scope that
//! could hold it.

use filter_common::generation::{
    EXPRESS, FAMILY_ANY, FailSafeRecord, PORTS, PortIndex, SCOPE_PORTS, SCOPE_POSITION, ScopeRecord,
};

/// The index of scopes that are sorted, most specific first.
pub(crate) fn port_index(scopes: &[ScopeRecord], fail_safe: &[FailSafeRecord]) -> Box<PortIndex> {
    let mut index = vec![SCOPE_POSITION | EXPRESS; PORTS];
    let positions: Vec<(u16, &ScopeRecord)> = (0..).zip(scopes).collect();
    // The first one is written last.
    for (position, scope) in positions.into_iter().rev() {
        let is_express = scope.family == FAMILY_ANY && scope.ifindex == 0;
        index[ports(scope)].fill(position | if is_express { EXPRESS } else { 0 });
    }
    for source in fail_safe {
        let port = usize::from(source.port);
        let reached = if source.port_only == 0 { 0..=PORTS - 1 } else { port..=port };
        index[reached].iter_mut().for_each(|start| *start &= !EXPRESS);
    }
    index.try_into().expect("it has that length")
}

/// The position of the first scope that holds packets without ports.
pub(crate) fn first_portless(scopes: &[ScopeRecord]) -> u32 {
    let mut positions = (0..).zip(scopes);
    let first = positions.find(|(_, scope)| scope.flags & SCOPE_PORTS == 0);
    first.map_or(u32::MAX, |(position, _)| position)
}

/// A scope without ports holds all of them.
fn ports(scope: &ScopeRecord) -> std::ops::RangeInclusive<usize> {
    scope.port_first.into()..=scope.port_last.into()
}
