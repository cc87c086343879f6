//! Objects whose keys hold arrays of addresses: GitHub's `/meta`, Fastly's
//! list, and the answer of Cloudflare's API.
//!
//! New keys come up in these from time to time. An array of which any element
//! is an address is one of addresses; whatever else has no address in it is
//! passed over.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{is_array, string};
use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};
use crate::feed::rows::is_meant_as_address;

/// Keys of GitHub's that hold addresses.
pub(in crate::feed) const GITHUB_KEYS: [&str; 13] = [
    "hooks",
    "web",
    "api",
    "git",
    "github_enterprise_importer",
    "packages",
    "pages",
    "importer",
    "actions",
    "actions_macos",
    "codespaces",
    "dependabot",
    "copilot",
];

const FASTLY_KEYS: [&str; 2] = ["addresses", "ipv6_addresses"];
const CLOUDFLARE_KEYS: [&str; 3] = ["ipv4_cidrs", "ipv6_cidrs", "jdcloud_cidrs"];

/// Reads GitHub's: a key is a service.
pub(in crate::feed) fn read_github(intake: &mut Intake<'_>) {
    for (key, raw) in intake.document_with(&GITHUB_KEYS) {
        let says = Says { services: &[&key], ..Says::default() };
        take(intake, &key, raw, GITHUB_KEYS.contains(&key.as_str()), says);
    }
}

/// Reads Fastly's.
pub(in crate::feed) fn read_fastly(intake: &mut Intake<'_>) {
    for (key, raw) in intake.document_with(&FASTLY_KEYS) {
        take(intake, &key, raw, FASTLY_KEYS.contains(&key.as_str()), Says::default());
    }
}

/// Reads Cloudflare's.
pub(in crate::feed) fn read_cloudflare(intake: &mut Intake<'_>) {
    for (key, result) in intake.document_with(&["result"]) {
        if key != "result" {
            continue;
        }
        let members = intake.members(result, format_args!("result"));
        let is_known = |key: &str| CLOUDFLARE_KEYS.contains(&key);
        if !members.iter().any(|(key, _)| is_known(key)) {
            intake.refuse_raw(
                result,
                format_args!("result"),
                "there is no `ipv4_cidrs` and no `ipv6_cidrs` here",
            );
        }
        for (key, raw) in members {
            take(intake, &format!("result.{key}"), raw, is_known(&key), Says::default());
        }
    }
}

/// Takes what stands under one key, or passes it over.
fn take<'a>(
    intake: &mut Intake<'a>,
    path: &str,
    raw: &'a RawValue,
    is_known: bool,
    says: Says<'_>,
) {
    if !is_known && !is_array(raw) {
        if holds_address(&serde_json::from_str(raw.get()).unwrap_or_default()) {
            let why = "there are addresses here, in a form that is not known: take them out, or list them in a file of their own";
            intake.refuse_raw(raw, format_args!("{path}"), why);
        }
        return;
    }
    let elements = intake.elements(raw, format_args!("{path}"));
    let is_address = |raw: &&RawValue| string(raw).is_some_and(|text| is_meant_as_address(&text));
    if is_known || elements.iter().any(is_address) {
        for (number, element) in elements.into_iter().enumerate() {
            intake.take_raw(element, format_args!("{path}[{number}]"), says, Note::default());
        }
    }
}

/// Whether any text in a value is an address.
fn holds_address(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => is_meant_as_address(text),
        Value::Array(elements) => elements.iter().any(holds_address),
        Value::Object(members) => members.values().any(holds_address),
    }
}
