//! Addresses of MongoDB Atlas: of its control plane, and of a project's
//! services. Arrays of addresses lie below keys that say whose they are.

use serde_json::value::RawValue;

use super::{is_array, string};
use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};
use crate::feed::rows::is_meant_as_address;

/// Deeper than this no such document goes.
const DEEPEST: usize = 12;

/// The top keys below which there are addresses.
const KEYS: [&str; 4] = ["inbound", "outbound", "gateways", "services"];

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    for (key, raw) in intake.document_with(&KEYS) {
        walk(intake, &key, &mut vec![key.clone()], raw);
    }
}

/// Walks through a piece below some keys.
fn walk<'a>(intake: &mut Intake<'a>, path: &str, keys: &mut Vec<String>, raw: &'a RawValue) {
    let start = raw.get().as_bytes().first();
    if keys.len() > DEEPEST {
        return intake.refuse_raw(
            raw,
            format_args!("{path}"),
            "this lies too deep to be a list of addresses",
        );
    }
    if is_array(raw) {
        return elements(intake, path, keys, raw);
    }
    if start == Some(&b'{') {
        for (key, raw) in intake.members(raw, format_args!("{path}")) {
            let path = format!("{path}.{key}");
            keys.push(key);
            walk(intake, &path, keys, raw);
            keys.pop();
        }
        return;
    }
    // What is left are names, ids and the like.
    if string(raw).is_some_and(|text| is_meant_as_address(&text)) {
        intake.refuse_raw(
            raw,
            format_args!("{path}"),
            "an address stands here outside of any array",
        );
    }
}

/// Texts in an array are addresses; what else is in it may hold some.
fn elements<'a>(intake: &mut Intake<'a>, path: &str, keys: &mut Vec<String>, raw: &'a RawValue) {
    for (number, raw) in intake.elements(raw, format_args!("{path}")).into_iter().enumerate() {
        if string(raw).is_none() {
            let path = format!("{path}[{number}]");
            keys.push(String::new());
            walk(intake, &path, keys, raw);
            keys.pop();
            continue;
        }
        let tags: Vec<&str> = keys.iter().map(String::as_str).collect();
        // `inbound` and `outbound` say which way, at whatever depth.
        let is_way = |key: &&&str| key.to_ascii_lowercase().ends_with("bound");
        let service = tags.iter().find(is_way).or(tags.first()).copied().unwrap_or_default();
        let region = tags.last().copied().unwrap_or_default();
        let says = Says { services: &[service], regions: &[region], tags: &tags };
        intake.take_raw(raw, format_args!("{path}[{number}]"), says, Note::default());
    }
}
