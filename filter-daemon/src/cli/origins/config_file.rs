//! The allowed request origins in the configuration file of an exported app.
//! Pure.
//!
//! Newer files have them at the top, older ones under `security`; what else
//! is in a file does not concern us.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::place::{Form, Place};
use crate::feed::{Fault, Faults};
use crate::origin::Origin;

const KEY: &str = "allowed_request_origins";

/// What of a file, or of its section on security, is of interest.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    allowed_request_origins: Option<&'a RawValue>,
    #[serde(borrow)]
    security: Option<&'a RawValue>,
}

/// Reads the origins, or tells everything that is wrong with them.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Origin>, Faults> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        fault(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]), "this is not UTF-8 text")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (place, list) = list(text)?;
    let origins: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| {
        let why = "must be a list of texts, such as [\"https://app.example.com\"]";
        at(text, &place, why)
    })?;
    let mut good = Vec::new();
    let mut told = Vec::new();
    for (position, origin) in origins.into_iter().enumerate() {
        match parse(origin) {
            Ok(origin) => good.push(origin),
            Err(why) => told.push(fault_at(text, &place.item(position), why)),
        }
    }
    if told.is_empty() { Ok(good) } else { Err(Faults { told, more: 0 }) }
}

/// The list, wherever it is.
fn list(text: &str) -> Result<(Place, &RawValue), Faults> {
    let document: Document<'_> = serde_json::from_str(text).map_err(|error| {
        let why = format!("this is not a configuration file of an app: {error}");
        Faults::from(Fault { line: error.line().max(1), path: String::new(), why })
    })?;
    let top = document.allowed_request_origins.map(|list| (Place::of(KEY), list));
    let security = document.security.and_then(|section| {
        let section: Document<'_> = serde_json::from_str(section.get()).ok()?;
        let list = section.allowed_request_origins?;
        Some((Place::of("security").key(KEY), list))
    });
    match (top, security) {
        (Some(_), Some((place, _))) => {
            Err(at(text, &place, "is at the top of the file too: leave one of them away"))
        }
        (Some(found), None) | (None, Some(found)) => Ok(found),
        (None, None) => Err(fault(
            "",
            format!("there is no {KEY}, neither at the top nor under security: nothing to import"),
        )),
    }
}

fn parse(origin: &RawValue) -> Result<Origin, String> {
    let text: String = serde_json::from_str(origin.get())
        .map_err(|_| format!("{} is not a text: write an origin in quotes", origin.get()))?;
    Origin::parse(&text).map_err(|error| error.to_string())
}

fn at(text: &str, place: &Place, why: &str) -> Faults {
    fault_at(text, place, why.to_owned()).into()
}

fn fault_at(text: &str, place: &Place, why: String) -> Fault {
    Fault { line: place.line(Form::Json, text), path: place.to_string(), why }
}

/// A fault behind some text.
fn fault(before: &str, why: impl Into<String>) -> Faults {
    let line = before.matches('\n').count() + 1;
    Fault { line, path: String::new(), why: why.into() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<String> {
        let origins = read(file.as_bytes()).expect(file);
        origins.iter().map(|origin| origin.text().to_owned()).collect()
    }

    #[test]
    fn every_age_of_file_is_read() {
        for file in [
            r#"{"name":"a","environment":"","allowed_request_origins":["https://a.example","null"]}"#,
            r#"{"security":{"allowed_request_origins":["https://a.example","null"]},"config_version":20180301}"#,
            "\u{feff}{\"security\":{},\"allowed_request_origins\":[\"https://a.example\",\r\n\"null\"]}",
        ] {
            assert_eq!(texts(file), ["https://a.example", "null"], "{file}");
        }
        assert_eq!(texts(r#"{"allowed_request_origins":[]}"#), [""; 0]);
    }

    #[test]
    fn every_fault_has_its_line_and_key() {
        let bad = "{\n\"allowed_request_origins\": [\n\"https://a.example/\",\n7,\n\"null\"\n]}";
        let twice =
            "{\"allowed_request_origins\":[],\n\"security\":{\"allowed_request_origins\":\n[]}}";
        for (file, expected) in [
            (bad, &[(3, "allowed_request_origins[0]"), (4, "allowed_request_origins[1]")][..]),
            (twice, &[(3, "security.allowed_request_origins")]),
            ("{\"allowed_request_origins\":\n\"null\"}", &[(2, "allowed_request_origins")]),
            ("{}", &[(1, "")]),
            ("[]", &[(1, "")]),
            ("{\n\"a\":", &[(2, "")]),
        ] {
            let faults = read(file.as_bytes()).expect_err(file).told;
            let found: Vec<_> = faults.iter().map(|f| (f.line, f.path.as_str())).collect();
            assert_eq!(found, expected, "{file}");
        }
        assert_eq!(read(b"{\n\xff}").expect_err("not UTF-8").told[0].line, 2);
    }
}
