//! How often an API key, or an entry of its access list, let somebody in. Pure.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::id::ObjectId;

/// What is known of one key or entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Requests.
    pub count: u64,
    /// Unix second of the last one.
    pub last: i64,
    /// From where it came, if that was an address.
    pub address: Option<IpAddr>,
}

/// What is known of all of them, and what of it is not written yet.
#[derive(Debug, Default)]
pub struct Uses {
    known: HashMap<ObjectId, Use>,
    unwritten: HashSet<ObjectId>,
}

impl Uses {
    /// What was written before.
    pub fn new(known: HashMap<ObjectId, Use>) -> Self {
        Self { known, unwritten: HashSet::new() }
    }

    /// What is known of one, nothing if it was never used.
    pub fn of(&self, id: ObjectId) -> Option<Use> {
        self.known.get(&id).copied()
    }

    /// One was used.
    pub fn note(&mut self, id: ObjectId, now: i64, address: Option<IpAddr>) {
        let seen = self.known.entry(id).or_default();
        *seen = Use { count: seen.count + 1, last: now, address };
        self.unwritten.insert(id);
    }

    /// What has to be written, once.
    pub fn take_unwritten(&mut self) -> Vec<(ObjectId, Use)> {
        let ids = std::mem::take(&mut self.unwritten);
        ids.into_iter().filter_map(|id| Some((id, *self.known.get(&id)?))).collect()
    }

    /// Forgets what is not there any more.
    pub fn keep(&mut self, exists: impl Fn(ObjectId) -> bool) {
        self.known.retain(|id, _| exists(*id));
        self.unwritten.retain(|id| exists(*id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_and_written_once() {
        let id = |number| ObjectId::from_bytes([number; 12]);
        let before = Use { count: 7, last: 1, address: None };
        let mut uses = Uses::new([(id(1), before)].into());
        assert_eq!(uses.take_unwritten(), []);
        let address = Some("192.0.2.7".parse().expect("an address"));
        uses.note(id(1), 2, address);
        uses.note(id(2), 2, None);
        assert_eq!(uses.of(id(1)), Some(Use { count: 8, last: 2, address }));
        uses.keep(|known| known == id(1));
        assert_eq!(uses.take_unwritten(), [(id(1), Use { count: 8, last: 2, address })]);
        assert_eq!((uses.take_unwritten(), uses.of(id(2))), (vec![], None));
    }
}
