//! Azure's Service Tags.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    properties: Option<Properties<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    #[serde(borrow, default)]
    region: Cow<'a, str>,
    #[serde(borrow, default)]
    system_service: Cow<'a, str>,
    #[serde(borrow)]
    address_prefixes: Option<&'a RawValue>,
}

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    for (list, raw) in intake.document_with(&["values"]) {
        if list != "values" {
            continue;
        }
        let tags = intake.elements(raw, format_args!("values"));
        for (number, raw) in tags.into_iter().enumerate() {
            let path = format_args!("values[{number}]");
            let Some(tag) = intake.record::<Tag<'_>>(raw, path) else { continue };
            match &tag.properties {
                Some(properties) if properties.address_prefixes.is_some() => {
                    take(intake, number, &tag.name, properties);
                }
                Some(_) | None => {
                    intake.refuse_raw(
                        raw,
                        format_args!("values[{number}]"),
                        "there is no `properties.addressPrefixes` here",
                    );
                }
            }
        }
    }
}

/// The name of a tag is that of a service, with a region behind a dot or
/// without.
fn take<'a>(intake: &mut Intake<'a>, number: usize, name: &str, properties: &Properties<'a>) {
    let Some(prefixes) = properties.address_prefixes else { return };
    let path = format!("values[{number}].properties.addressPrefixes");
    let service = name.split('.').next().unwrap_or_default();
    let says = Says {
        services: &[service, &properties.system_service],
        regions: &[&properties.region],
        tags: &[name],
    };
    let prefixes = intake.elements(prefixes, format_args!("{path}"));
    for (place, prefix) in prefixes.into_iter().enumerate() {
        intake.take_raw(prefix, format_args!("{path}[{place}]"), says, Note::default());
    }
}
