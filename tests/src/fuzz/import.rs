//! The reader of list files. It is private to `filterctl`, so its source is
//! taken in as it stands.

use std::collections::BTreeSet;

use filter_daemon::access_list::Prefix;

#[path = "../../../filter-daemon/src/cli/access_list"]
mod source {
    use filter_daemon::access_list::Address;

    mod list_file;

    pub(super) fn read(input: &[u8]) -> Result<Vec<Address>, Vec<(usize, String)>> {
        list_file::read(input)
            .map_err(|faults| faults.into_iter().map(|fault| (fault.line, fault.why)).collect())
    }
}

/// A list file yields addresses that stand for different prefixes, or faults
/// that lie inside the file.
pub fn import(input: &[u8]) {
    match source::read(input) {
        Ok(addresses) => {
            let prefixes: BTreeSet<Prefix> =
                addresses.iter().map(|address| address.prefix()).collect();
            assert_eq!(prefixes.len(), addresses.len(), "a prefix is there twice");
        }
        Err(faults) => {
            let lines = input.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!(!faults.is_empty(), "refused without a fault");
            for (line, why) in faults {
                assert!((1..=lines).contains(&line), "line {line} of {lines}: {why}");
            }
        }
    }
}
