//! Every form with a small file of its kind, every kind of fault, and what
//! must hold of any input.

mod blocklists;
mod faults;
mod filters;
mod forms;
mod roundtrips;

use super::*;

/// Reads a text that has no name.
fn read_text(text: &str) -> Result<Feed, FeedError> {
    read(&Source { name: None, bytes: text.as_bytes() }, &Reading::default())
}

/// Reads a text whose form is named.
fn read_as(format: Format, text: &str) -> Result<Feed, FeedError> {
    let reading = Reading { format: Some(format), ..Reading::default() };
    read(&Source { name: None, bytes: text.as_bytes() }, &reading)
}

/// Reads a text under a name.
fn read_named(name: &str, text: &str, force: bool) -> Result<Feed, FeedError> {
    let reading = Reading { force, ..Reading::default() };
    read(&Source { name: Some(name), bytes: text.as_bytes() }, &reading)
}

/// The addresses of a feed as they stand in its file.
fn addresses(feed: &Feed) -> Vec<&str> {
    feed.entries.iter().map(|entry| entry.address.text()).collect()
}

/// A text that must be read in a form, with these addresses.
#[track_caller]
fn assert_reads(text: &str, format: Format, expected: &[&str]) -> Feed {
    let feed = read_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((feed.format, addresses(&feed).as_slice()), (format, expected), "{text}");
    feed
}

/// The faults of a text that must have some.
#[track_caller]
fn faults_of(outcome: Result<Feed, FeedError>) -> Vec<Fault> {
    match outcome {
        Err(FeedError::Faults(faults)) => faults.told,
        Err(error @ (FeedError::BlockList(_) | FeedError::Filter(_))) => panic!("{error}"),
        Ok(feed) => panic!("{feed:?}"),
    }
}
