//! A list of entries as an answer, sent piece by piece: a million entries are
//! never one text in memory.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;

use super::asker::etag;
use crate::access_list::{AccessList, Entry};

/// How many entries one piece holds.
const ENTRIES_A_PIECE: usize = 1024;

/// How a list is written.
pub(super) trait ListForm: Send + 'static {
    /// What stands before the entries.
    fn begin(&self, text: &mut Vec<u8>);
    /// One entry.
    fn entry(&self, entry: &Entry, text: &mut Vec<u8>);
    /// What stands after them.
    fn end(&self, text: &mut Vec<u8>);
}

/// The list in a form, with its version as its tag.
pub(super) fn answer(list: AccessList, form: impl ListForm) -> Response {
    let tag = etag(list.version);
    let pieces = stream::unfold((list, form, Some(0)), async |(list, form, from)| {
        let (piece, next) = piece(&list, &form, from?);
        Some((Ok::<_, Infallible>(piece), (list, form, next)))
    });
    let headers =
        [(header::CONTENT_TYPE, "application/json".parse().expect("a value")), (header::ETAG, tag)];
    (headers, Body::from_stream(pieces)).into_response()
}

/// Puts a value that is always JSON behind a text.
pub(super) fn put(text: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(text, value).expect("it is JSON, and memory takes it");
}

/// The text from an entry's number on, and the number to go on with.
fn piece(list: &AccessList, form: &impl ListForm, from: u32) -> (Bytes, Option<u32>) {
    let mut text = Vec::new();
    if from == 0 {
        form.begin(&mut text);
    }
    let mut separate = from != 0;
    let mut entries = list.entries_from(from);
    for entry in entries.by_ref().take(ENTRIES_A_PIECE) {
        if separate {
            text.push(b',');
        }
        separate = true;
        form.entry(entry, &mut text);
    }
    let next = entries.next().map(|entry| entry.number());
    if next.is_none() {
        form.end(&mut text);
    }
    (Bytes::from(text), next)
}
