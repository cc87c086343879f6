//! `public_ip_ranges.json` of Oracle Cloud.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};

#[derive(Deserialize)]
struct Region<'a> {
    #[serde(borrow, default)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    cidrs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    cidr: Option<&'a RawValue>,
    #[serde(default)]
    tags: Vec<String>,
}

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    for (list, raw) in intake.document_with(&["regions"]) {
        if list != "regions" {
            continue;
        }
        let regions = intake.elements(raw, format_args!("regions"));
        for (number, raw) in regions.into_iter().enumerate() {
            let path = format!("regions[{number}]");
            let Some(region) = intake.record::<Region<'_>>(raw, format_args!("{path}")) else {
                continue;
            };
            match region.cidrs {
                Some(cidrs) => take(intake, &path, &region.region, cidrs),
                None => {
                    intake.refuse_raw(raw, format_args!("{path}"), "there is no `cidrs` here");
                }
            }
        }
    }
}

fn take<'a>(intake: &mut Intake<'a>, path: &str, region: &str, cidrs: &'a RawValue) {
    let rows = intake.elements(cidrs, format_args!("{path}.cidrs"));
    for (number, raw) in rows.into_iter().enumerate() {
        let place = format_args!("{path}.cidrs[{number}]");
        let Some(row) = intake.record::<Row<'_>>(raw, place) else { continue };
        let tags: Vec<&str> = row.tags.iter().map(String::as_str).collect();
        let says = Says { regions: &[region], tags: &tags, services: &[] };
        match row.cidr {
            Some(cidr) => {
                let path = format_args!("{path}.cidrs[{number}].cidr");
                intake.take_raw(cidr, path, says, Note::default());
            }
            None => {
                intake.refuse_raw(
                    raw,
                    format_args!("{path}.cidrs[{number}]"),
                    "there is no `cidr` here",
                );
            }
        }
    }
}
