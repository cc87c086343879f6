//! `cloud.json` and `goog.json` of Google, and the lists of crawlers that have
//! the same form.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, rename = "ipv4Prefix")]
    ipv4: Option<&'a RawValue>,
    #[serde(borrow, rename = "ipv6Prefix")]
    ipv6: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service: Cow<'a, str>,
    #[serde(borrow, default)]
    scope: Cow<'a, str>,
}

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    for (list, raw) in intake.document_with(&["prefixes"]) {
        if list != "prefixes" {
            continue;
        }
        let rows = intake.elements(raw, format_args!("prefixes"));
        for (number, raw) in rows.into_iter().enumerate() {
            let Some(row) = intake.record::<Row<'_>>(raw, format_args!("prefixes[{number}]"))
            else {
                continue;
            };
            let says = Says { services: &[&row.service], regions: &[&row.scope], tags: &[] };
            for (key, address) in [("ipv4Prefix", row.ipv4), ("ipv6Prefix", row.ipv6)] {
                let path = format_args!("prefixes[{number}].{key}");
                if let Some(address) = address {
                    intake.take_raw(address, path, says, Note::default());
                }
            }
            if row.ipv4.or(row.ipv6).is_none() {
                intake.refuse_raw(
                    raw,
                    format_args!("prefixes[{number}]"),
                    "there is neither `ipv4Prefix` nor `ipv6Prefix` here",
                );
            }
        }
    }
}
