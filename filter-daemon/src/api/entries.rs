//! A list of entries as an answer, sent piece by piece: a million entries are
//! never one text in memory.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::wire::EntryOut;
use crate::access_list::{AccessList, Entry};

/// How many entries one piece holds.
const ENTRIES_A_PIECE: usize = 4096;

/// `{"allowed_ips":[…]}`.
pub(super) fn answer(list: &AccessList) -> Response {
    let entries: Vec<Arc<Entry>> = list.entries().cloned().collect();
    let pieces = stream::unfold((entries, Some(0)), async |(entries, from)| {
        let from = from?;
        let (piece, next) = piece(&entries, from);
        Some((Ok::<_, Infallible>(piece), (entries, next)))
    });
    ([("content-type", "application/json")], Body::from_stream(pieces)).into_response()
}

/// The text from an entry on, and the entry to go on with.
fn piece(entries: &[Arc<Entry>], from: usize) -> (Bytes, Option<usize>) {
    let to = entries.len().min(from + ENTRIES_A_PIECE);
    let mut text = Vec::new();
    if from == 0 {
        text.extend_from_slice(br#"{"allowed_ips":["#);
    }
    for (position, entry) in entries[from..to].iter().enumerate() {
        if from + position > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &EntryOut::from(entry.as_ref()))
            .expect("an entry is texts and a bool, and memory takes it");
    }
    let next = (to < entries.len()).then_some(to);
    if next.is_none() {
        text.extend_from_slice(b"]}");
    }
    (Bytes::from(text), next)
}
