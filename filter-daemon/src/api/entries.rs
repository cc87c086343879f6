//! A list of entries as an answer, sent piece by piece: a million entries are
//! never one text in memory.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::wire::EntryOut;
use crate::access_list::AccessList;

/// How many entries one piece holds.
const ENTRIES_A_PIECE: usize = 1024;

/// `{"allowed_ips":[…]}`.
pub(super) fn answer(list: &AccessList) -> Response {
    // Costs nothing, and keeps the list as it is now.
    let list = list.clone();
    let pieces = stream::unfold((list, Some(0)), async |(list, from)| {
        let (piece, next) = piece(&list, from?);
        Some((Ok::<_, Infallible>(piece), (list, next)))
    });
    ([("content-type", "application/json")], Body::from_stream(pieces)).into_response()
}

/// The text from an entry's number on, and the number to go on with.
fn piece(list: &AccessList, from: u32) -> (Bytes, Option<u32>) {
    let mut text = Vec::new();
    let mut separator: &[u8] = if from == 0 { br#"{"allowed_ips":["# } else { b"," };
    let mut entries = list.entries_from(from);
    for entry in entries.by_ref().take(ENTRIES_A_PIECE) {
        text.extend_from_slice(separator);
        separator = b",";
        serde_json::to_writer(&mut text, &EntryOut::from(entry.as_ref()))
            .expect("an entry is texts and a bool, and memory takes it");
    }
    let next = entries.next().map(|entry| entry.number());
    if next.is_none() {
        if list.is_empty() {
            text.extend_from_slice(separator);
        }
        text.extend_from_slice(b"]}");
    }
    (Bytes::from(text), next)
}
