//! Bounds how many of one thing there are at one time, fairly: when there is
//! no room, the source that has the most of them loses its oldest.
//!
//! So a source that opens thousands and finishes none makes room for the next
//! client at its own cost, and a client that is quick is never in the way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::signal::Signal;

/// Those that are in, by source.
#[derive(Debug)]
pub(super) struct Crowd {
    limit: usize,
    inside: Mutex<Inside>,
}

/// The right to be in; it ends with the value.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    source: IpAddr,
    number: u64,
}

#[derive(Debug, Default)]
struct Inside {
    by_source: HashMap<IpAddr, BTreeMap<u64, Arc<Signal>>>,
    /// Sources by how many they have.
    ranks: BTreeSet<(usize, IpAddr)>,
    count: usize,
    next: u64,
}

impl Crowd {
    /// Room for so many.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, inside: Mutex::default() })
    }

    /// Lets one in. It is told when it has to go.
    pub(super) fn enter(self: &Arc<Self>, source: IpAddr, leave: Arc<Signal>) -> Place {
        let source = household(source);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.count >= self.limit {
            inside.send_one_away();
        }
        let number = inside.next;
        inside.next += 1;
        inside.change(source, |ours| drop(ours.insert(number, leave)));
        Place { crowd: Arc::clone(self), source, number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.change(self.source, |ours| drop(ours.remove(&self.number)));
    }
}

impl Inside {
    fn send_one_away(&mut self) {
        let Some((_, source)) = self.ranks.last().copied() else { return };
        self.change(source, |ours| {
            if let Some((_, leave)) = ours.pop_first() {
                leave.give();
            }
        });
    }

    fn change(&mut self, source: IpAddr, change: impl FnOnce(&mut BTreeMap<u64, Arc<Signal>>)) {
        let ours = self.by_source.entry(source).or_default();
        let before = ours.len();
        change(ours);
        let after = ours.len();
        self.count = self.count + after - before;
        self.ranks.remove(&(before, source));
        if after == 0 {
            self.by_source.remove(&source);
        } else {
            self.ranks.insert((after, source));
        }
    }
}

/// Who a source is: one IPv6 host has a whole /64 to itself.
fn household(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(crowd: &Arc<Crowd>, source: &str) -> (Place, Arc<Signal>) {
        let leave = Arc::<Signal>::default();
        (crowd.enter(source.parse().expect("an address"), Arc::clone(&leave)), leave)
    }

    #[test]
    fn the_busiest_source_loses_its_oldest() {
        let crowd = Crowd::new(5);
        let busy: Vec<_> = (0..4).map(|_| enter(&crowd, "192.0.2.1")).collect();
        let quiet = enter(&crowd, "192.0.2.2");
        let _next = enter(&crowd, "192.0.2.3");
        let gone = busy.iter().map(|(_, leave)| leave.is_given()).collect::<Vec<_>>();
        assert_eq!(gone, [true, false, false, false]);
        assert!(!quiet.1.is_given());
    }

    #[test]
    fn who_leaves_makes_room() {
        let crowd = Crowd::new(2);
        let first = enter(&crowd, "2001:db8::1");
        drop(enter(&crowd, "2001:db8::2"));
        let second = enter(&crowd, "2001:db8::3");
        assert!(!first.1.is_given() && !second.1.is_given());
        drop((first, second));
        let inside = crowd.inside.lock().expect("not poisoned");
        assert_eq!((inside.count, inside.ranks.len(), inside.by_source.len()), (0, 0, 0));
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one_source() {
        let crowd = Crowd::new(3);
        let other = enter(&crowd, "2001:db8:0:1::1");
        let crowded: Vec<_> = (1..=3).map(|n| enter(&crowd, &format!("2001:db8::{n}"))).collect();
        assert!(!other.1.is_given() && crowded[0].1.is_given());
    }
}
