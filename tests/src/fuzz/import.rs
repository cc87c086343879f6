//! The reader of list files, and the writer of exports.

use std::collections::BTreeSet;

use filter_daemon::access_list::Prefix;
use filter_daemon::feed::{self, Export, Feed, FeedError, Format, Reading, Source};

/// A list file yields addresses that stand for different prefixes, or faults
/// that lie inside the file; and what it yields can be written and read again.
/// The first byte may name the form.
pub fn import(input: &[u8]) {
    check(None, input);
    let Some((first, rest)) = input.split_first() else { return };
    check(Format::ALL.get(usize::from(*first)).copied(), rest);
}

fn check(format: Option<Format>, bytes: &[u8]) {
    let reading = Reading { format, force: true, ..Reading::default() };
    match feed::read(&Source { name: None, bytes }, &reading) {
        Ok(feed) => {
            let prefixes: BTreeSet<Prefix> =
                feed.entries.iter().map(|entry| entry.address.prefix()).collect();
            assert_eq!(prefixes.len(), feed.entries.len(), "a prefix is there twice");
            assert_reads_back(&feed);
        }
        Err(FeedError::Faults(faults)) => {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!(faults.count() > 0, "refused without a fault");
            for fault in faults.told {
                assert!((1..=lines).contains(&fault.line), "of {lines} lines: {fault}");
            }
        }
        Err(error @ (FeedError::BlockList(_) | FeedError::Filter(_))) => {
            panic!("nothing was filtered, and block lists are taken: {error}")
        }
    }
}

fn assert_reads_back(feed: &Feed) {
    let ends: Vec<_> =
        feed.entries.iter().map(|entry| entry.expires.map(|end| end.to_string())).collect();
    let entries: Vec<Export<'_>> = feed
        .entries
        .iter()
        .zip(&ends)
        .map(|(entry, end)| Export {
            address: entry.address.text(),
            comment: entry.comment.as_deref().unwrap_or_default(),
            enabled: entry.enabled,
            expires: end.as_deref(),
        })
        .collect();
    let text = feed::full(&entries);
    let again = feed::read(&Source { name: None, bytes: text.as_bytes() }, &Reading::default());
    assert_eq!(again.expect("what was written").entries, feed.entries);
}
