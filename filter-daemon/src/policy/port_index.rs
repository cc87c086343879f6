//! Where the search for a packet's app starts: by port, the first scope that
//! could hold it.

use filter_common::generation::{PORTS, PortIndex, SCOPE_PORTS, ScopeRecord};

/// The index of scopes that are sorted, most specific first.
pub(crate) fn port_index(scopes: &[ScopeRecord]) -> Box<PortIndex> {
    let mut index = vec![u16::MAX; PORTS];
    // The first one is written last.
    for (scope, position) in scopes.iter().zip(0_u16..).collect::<Vec<_>>().into_iter().rev() {
        index[ports(scope)].fill(position);
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
