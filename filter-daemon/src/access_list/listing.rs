//! Lists for tests.

use std::sync::Arc;

use super::{AccessList, Address, Entry};
use crate::id::ObjectId;

/// A list of addresses, each enabled or not and with an end or without.
pub(super) fn list(entries: &[(&str, bool, Option<i64>)]) -> AccessList {
    let mut list = AccessList::default();
    for (number, (address, enabled, expires)) in (1..).zip(entries) {
        let entry = Entry {
            id: ObjectId::from_parts(7, number, [1; 4]),
            address: Address::parse(address).expect(address),
            comment: "".into(),
            enabled: *enabled,
            expires: *expires,
            author: "root".into(),
            changed: 7,
        };
        list.extend(&[Arc::new(entry)]).expect("new");
    }
    list
}
