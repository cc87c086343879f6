//! What of a list the kernel is to enforce: the enabled entries' prefixes, with
//! the ends of the temporary ones on the kernel's clock.
//!
//! Costs what the temporary entries cost; a list without any is not even
//! copied.

use filter_common::trie::TrieValue;

use super::list::AccessList;
use super::prefix::Prefix;
use super::prefix_set::PrefixSet;

impl AccessList {
    /// The prefixes with their ends, for a host that was booted at a Unix
    /// second.
    ///
    /// A packet is judged by the most specific prefix alone. So that a wider
    /// entry that lasts longer goes on admitting, a prefix ends with the last
    /// of the entries that cover it.
    pub fn enforced(&self, booted: i64) -> PrefixSet {
        let mut enforced = self.prefixes().clone();
        for (number, expires) in self.temporary() {
            let Some(entry) = self.entry_of_number(number) else { continue };
            let prefix = entry.address.prefix();
            let wider = prefix.wider().filter_map(|wider| self.end_of(wider));
            let last = wider.fold(Some(expires), later);
            let expires_boot_s = last.map_or(0, |expires| on_boot_clock(expires, booted));
            enforced.insert(prefix, TrieValue { entry: number, expires_boot_s });
        }
        enforced
    }

    /// When the enabled entry of a prefix ends, if there is one.
    fn end_of(&self, prefix: Prefix) -> Option<Option<i64>> {
        let number = self.prefixes().get(prefix)?.entry;
        self.entry_of_number(number).map(|entry| entry.expires)
    }
}

/// The later of two ends; none is never.
fn later(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// 0 means never, so that what ended before the boot ends in its first second.
fn on_boot_clock(unix: i64, booted: i64) -> u32 {
    u32::try_from(unix.saturating_sub(booted).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access_list::listing::list;
    use crate::access_list::{Address, Entry};
    use crate::id::ObjectId;

    const BOOTED: i64 = 1_000_000;

    fn ends(list: &AccessList, prefixes: &[&str]) -> Vec<Option<u32>> {
        let enforced = list.enforced(BOOTED);
        let end = |text: &&str| enforced.get(text.parse().expect(text));
        prefixes.iter().map(|text| end(text).map(|value| value.expires_boot_s)).collect()
    }

    #[test]
    fn ends_are_on_the_boot_clock_and_the_last_of_all_that_cover() {
        let list = list(&[
            ("10.0.0.0/8", true, Some(BOOTED + 100)),
            ("10.1.0.0/16", true, Some(BOOTED + 50)),
            ("10.1.1.0/24", true, Some(BOOTED + 200)),
            ("192.0.2.0/24", true, None),
            ("192.0.2.7", true, Some(BOOTED + 5)),
            ("198.51.100.7", true, Some(BOOTED - 5)),
            ("198.51.100.0/24", false, None),
            ("2001:db8::/32", true, Some(i64::MAX)),
        ]);
        assert_eq!(
            ends(&list, &["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "192.0.2.0/24"]),
            [Some(100), Some(100), Some(200), Some(0)]
        );
        assert_eq!(
            ends(&list, &["192.0.2.7", "198.51.100.7", "198.51.100.0/24", "2001:db8::/32"]),
            [Some(0), Some(1), None, Some(u32::MAX)]
        );
    }

    #[test]
    fn a_disabled_entry_still_has_its_prefix() {
        let mut list = list(&[("10.0.0.0/8", false, None), ("10.0.0.0/9", true, Some(7))]);
        let before = list.clone();
        for (address, enabled) in [("10.0.0.0/8", true), ("10.0.0.0/9", false)] {
            let mut entry = Entry::clone(list.entries().next().expect("one"));
            entry.id = ObjectId::from_parts(7, 9, [1; 4]);
            entry.address = Address::parse(address).expect(address);
            entry.enabled = enabled;
            list.extend(&[Arc::new(entry)]).expect_err("a duplicate");
            assert_eq!(list, before);
        }
        let mut entry = Entry::clone(list.entries().next().expect("one"));
        entry.enabled = true;
        list.replace(&Arc::new(entry)).expect("its own prefix");
        assert_eq!(list.prefixes().len(), 2);
        let all: Vec<_> = list.entries().cloned().collect();
        list.remove(&all[1..]);
        assert_eq!((list.prefixes().len(), list.temporary().count()), (1, 0));
    }
}
