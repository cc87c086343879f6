//! `ip-ranges.json` of Amazon Web Services.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    ip_prefix: Option<&'a RawValue>,
    #[serde(borrow)]
    ipv6_prefix: Option<&'a RawValue>,
    #[serde(borrow, default)]
    region: Cow<'a, str>,
    #[serde(borrow, default)]
    service: Cow<'a, str>,
}

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    for (list, raw) in intake.document_with(&["prefixes", "ipv6_prefixes"]) {
        if !["prefixes", "ipv6_prefixes"].contains(&list.as_str()) {
            continue;
        }
        let rows = intake.elements(raw, format_args!("{list}"));
        for (number, raw) in rows.into_iter().enumerate() {
            let Some(row) = intake.record::<Row<'_>>(raw, format_args!("{list}[{number}]")) else {
                continue;
            };
            let says = Says { services: &[&row.service], regions: &[&row.region], tags: &[] };
            let addresses = [("ip_prefix", row.ip_prefix), ("ipv6_prefix", row.ipv6_prefix)];
            for (key, address) in addresses {
                let path = format_args!("{list}[{number}].{key}");
                if let Some(address) = address {
                    intake.take_raw(address, path, says, Note::default());
                }
            }
            if row.ip_prefix.or(row.ipv6_prefix).is_none() {
                intake.refuse_raw(
                    raw,
                    format_args!("{list}[{number}]"),
                    "there is neither `ip_prefix` nor `ipv6_prefix` here",
                );
            }
        }
    }
}
