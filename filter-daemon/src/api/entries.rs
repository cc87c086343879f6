//! A list of entries as an answer, sent piece by piece: a million entries are
//! never one text in memory.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::wire::EntryOut;
use crate::access_list::{AccessList, Entry};
use crate::observe::EntryHits;

/// How many entries one piece holds.
const ENTRIES_A_PIECE: usize = 1024;

/// A list as it is now, and what the kernel counted of its entries, if that
/// could be read.
pub(super) struct Counted {
    pub(super) list: AccessList,
    pub(super) hits: Option<HashMap<u32, EntryHits>>,
}

/// `{"allowed_ips":[…]}`.
pub(super) fn answer(counted: Counted) -> Response {
    let pieces = stream::unfold((counted, Some(0)), async |(counted, from)| {
        let (piece, next) = counted.piece(from?);
        Some((Ok::<_, Infallible>(piece), (counted, next)))
    });
    ([("content-type", "application/json")], Body::from_stream(pieces)).into_response()
}

impl Counted {
    /// The text from an entry's number on, and the number to go on with.
    fn piece(&self, from: u32) -> (Bytes, Option<u32>) {
        let mut text = Vec::new();
        let mut separator: &[u8] = if from == 0 { br#"{"allowed_ips":["# } else { b"," };
        let mut entries = self.list.entries_from(from);
        for entry in entries.by_ref().take(ENTRIES_A_PIECE) {
            text.extend_from_slice(separator);
            separator = b",";
            serde_json::to_writer(&mut text, &self.entry(entry))
                .expect("an entry is texts, a bool and a number, and memory takes it");
        }
        let next = entries.next().map(|entry| entry.number());
        if next.is_none() {
            if self.list.is_empty() {
                text.extend_from_slice(separator);
            }
            text.extend_from_slice(b"]}");
        }
        (Bytes::from(text), next)
    }

    fn entry<'a>(&self, entry: &'a Entry) -> EntryOut<'a> {
        match &self.hits {
            Some(hits) => EntryOut::from(entry).hit(hits.get(&entry.number())),
            None => EntryOut::from(entry),
        }
    }
}
