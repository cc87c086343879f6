//! Our own form: entries with all that belongs to them.
//!
//! Unknown keys are refused here: a misspelt `enabled` would let somebody in.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    #[serde(borrow)]
    address: Option<&'a RawValue>,
    #[serde(borrow, default)]
    comment: Cow<'a, str>,
    #[serde(default = "yes")]
    enabled: bool,
    expires: Option<String>,
}

fn yes() -> bool {
    true
}

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    for (key, raw) in intake.document_with(&["entries"]) {
        if key != "entries" {
            intake.refuse_raw(
                raw,
                format_args!("{key}"),
                "is not known here: the one key is `entries`",
            );
            continue;
        }
        let rows = intake.elements(raw, format_args!("entries"));
        for (number, raw) in rows.into_iter().enumerate() {
            take(intake, number, raw);
        }
    }
}

fn take<'a>(intake: &mut Intake<'a>, number: usize, raw: &'a RawValue) {
    let Some(row) = intake.record::<Row<'_>>(raw, format_args!("entries[{number}]")) else {
        return;
    };
    let Some(address) = row.address else {
        return intake.refuse_raw(
            raw,
            format_args!("entries[{number}]"),
            "there is no `address` here",
        );
    };
    let expires = match row.expires.as_deref().map(str::parse::<Timestamp>).transpose() {
        Ok(expires) => expires,
        Err(_) => {
            let why = "this is no time: give one such as 2027-01-31T18:00:00Z (RFC 3339)";
            return intake.refuse_raw(raw, format_args!("entries[{number}].expires"), why);
        }
    };
    let comment = Some(row.comment.as_ref()).filter(|comment| !comment.is_empty());
    let note = Note { comment, disabled: !row.enabled, expires };
    let path = format_args!("entries[{number}].address");
    intake.take_raw(address, path, Says::default(), note);
}
