//! What a file says of apps, as it stands there. Pure.
//!
//! Owns the keys; unknown ones are refused, with their line.

use std::fmt;
use std::path::Path;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, de::value::MapAccessDeserializer};
use toml::value::Datetime;

use crate::app::ProxyDocument;
use crate::cli::place::{Form, line_at};
use crate::feed::{Fault, Faults};

/// The text of a file, and what it says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) text: String,
    pub(super) form: Form,
    pub(super) document: Document,
}

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    pub(super) app: Vec<AppTable>,
}

/// What is said of an app.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppTable {
    pub(super) name: String,
    pub(super) mode: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) trusted_hops: Option<Vec<String>>,
    pub(super) origins: Option<Vec<String>>,
    pub(super) require_origin: Option<bool>,
    pub(super) proxy: Option<ProxyDocument>,
    pub(super) entries: Option<Vec<EntryItem>>,
    pub(super) entries_from: Option<Vec<String>>,
}

/// An entry: an address alone, or with more.
#[derive(Debug)]
pub(super) struct EntryItem {
    pub(super) address: String,
    pub(super) comment: Option<String>,
    pub(super) enabled: bool,
    pub(super) expires: Option<String>,
    /// Whether it is more than an address.
    pub(super) is_table: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryTable {
    address: String,
    comment: Option<String>,
    enabled: Option<bool>,
    expires: Option<Expires>,
}

/// A date as a text, or as TOML has it.
struct Expires(String);

/// Reads a file: JSON by its name or its first character, else TOML.
pub(super) fn read(file: Option<&Path>, bytes: &[u8]) -> Result<Read, Faults> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        fault(line, String::new(), "this is not UTF-8 text")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    let extension = file.and_then(Path::extension).and_then(|extension| extension.to_str());
    let form = match extension {
        Some("json") => Form::Json,
        Some("toml") => Form::Toml,
        Some(_) | None if text.trim_start().starts_with('{') => Form::Json,
        Some(_) | None => Form::Toml,
    };
    let document = match form {
        Form::Toml => from_toml(&text),
        Form::Json => from_json(&text),
    };
    document.map(|document| Read { text, form, document })
}

fn from_toml(text: &str) -> Result<Document, Faults> {
    let whole = |error: toml::de::Error| {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        fault(line, String::new(), format!("is not TOML: {}", one_line(error.message())))
    };
    let deserializer = toml::Deserializer::parse(text).map_err(whole)?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = path_text(error.path());
        let cause = error.into_inner();
        let line = line_at(text, cause.span().map_or(0, |span| span.start));
        fault(line, path, one_line(cause.message()))
    })
}

fn from_json(text: &str) -> Result<Document, Faults> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = path_text(error.path());
        json_fault(path, error.inner())
    })?;
    deserializer.end().map_err(|error| json_fault(String::new(), &error))?;
    Ok(read)
}

fn json_fault(path: String, error: &serde_json::Error) -> Faults {
    let text = error.to_string();
    // The line is told in front.
    let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
    match error.is_data() {
        true => fault(error.line().max(1), path, why),
        false => fault(error.line().max(1), String::new(), format!("is not JSON: {why}")),
    }
}

/// The path without what is said of the document as such.
fn path_text(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}

fn one_line(text: &str) -> String {
    text.replace('\n', ", ")
}

fn fault(line: usize, path: String, why: impl Into<String>) -> Faults {
    Fault { line, path, why: why.into() }.into()
}

impl<'de> Deserialize<'de> for EntryItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyEntry)
    }
}

struct AnyEntry;

impl<'de> Visitor<'de> for AnyEntry {
    type Value = EntryItem;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address in quotes, or { address = \"…\", comment = \"…\" }")
    }

    fn visit_str<E: Error>(self, address: &str) -> Result<EntryItem, E> {
        let address = address.to_owned();
        Ok(EntryItem { address, comment: None, enabled: true, expires: None, is_table: false })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EntryItem, A::Error> {
        let table = EntryTable::deserialize(MapAccessDeserializer::new(map))?;
        let EntryTable { address, comment, enabled, expires } = table;
        let expires = expires.map(|Expires(text)| text);
        let enabled = enabled.unwrap_or(true);
        Ok(EntryItem { address, comment, enabled, expires, is_table: true })
    }
}

impl<'de> Deserialize<'de> for Expires {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyDate)
    }
}

struct AnyDate;

impl<'de> Visitor<'de> for AnyDate {
    type Value = Expires;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date such as \"2026-12-01 18:00\"")
    }

    fn visit_str<E: Error>(self, date: &str) -> Result<Expires, E> {
        Ok(Expires(date.to_owned()))
    }

    /// What a date without quotes is in TOML.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expires, A::Error> {
        let date = Datetime::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Expires(date.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_fault(file: Option<&str>, text: &str) -> (usize, String, String) {
        let faults = read(file.map(Path::new), text.as_bytes()).expect_err(text);
        let Fault { line, path, why } = faults.told[0].clone();
        (line, path, why)
    }

    #[test]
    fn both_forms_say_the_same() {
        let toml = r#"
            [[app]]
            name = "web"
            require_origin = true
            entries = [
                "::1",
                { address = "::2", comment = "x", enabled = false, expires = "2999-01-01" },
                { address = "::3", expires = 2999-01-01T00:00:00Z },
            ]
            entries_from = ["a.txt"]
        "#;
        let json = r#" {"app": [{"name": "web", "require_origin": true, "entries_from": ["a.txt"],
            "entries": ["::1",
            {"address": "::2", "comment": "x", "enabled": false, "expires": "2999-01-01"},
            {"address": "::3", "expires": "2999-01-01T00:00:00Z"}]}]}"#;
        let [toml, json] = [(toml, Form::Toml), (json, Form::Json)].map(|(text, form)| {
            let read = read(None, text.as_bytes()).expect(text);
            assert_eq!(read.form, form);
            format!("{:?}", read.document)
        });
        assert_eq!(toml, json);
        assert!(toml.contains("2999-01-01T00:00:00Z"), "{toml}");
    }

    #[test]
    fn faults_have_their_line_and_key() {
        for (file, text, line, key, word) in [
            (None, "[[app]]\nname = \"a\"\ncolour = 1\n", 3, "app[0].colour", "colour"),
            (None, "[[app]]\nmode = \"off\"\n", 1, "app[0]", "name"),
            (None, "[[app]]\nname = 7\n", 2, "app[0].name", "string"),
            (
                None,
                "[[app]]\nname = \"a\"\nentries = [\n \"::1\",\n { adress = \"::2\" },\n]\n",
                5,
                "app[0].entries[1].adress",
                "adress",
            ),
            (None, "[[app]]\nname = \"a\"\nentries = [\n7]\n", 4, "app[0].entries[0]", "address"),
            (None, "[[app]\n", 1, "", "TOML"),
            (None, "colour = 1\n", 1, "colour", "colour"),
            (
                Some("a.json"),
                "{\"app\":[\n{\"name\":\"a\",\n\"colour\":1}]}",
                3,
                "app[0].colour",
                "colour",
            ),
            (
                Some("a.json"),
                "{\"app\":[\n{\"name\":\"a\",\"entries\":[\n{\"adress\":1}]}]}",
                3,
                "app[0].entries[0].adress",
                "adress",
            ),
            (Some("a.json"), "name = 1", 1, "", "JSON"),
            (None, "{\"app\":[]} x", 1, "", "JSON"),
            (Some("a.toml"), "{}", 1, "", "TOML"),
        ] {
            let (found, path, why) = first_fault(file, text);
            assert_eq!((found, path.as_str()), (line, key), "{text}: {why}");
            assert!(why.contains(word), "{text}: {why}");
        }
        assert_eq!(read(None, b"\n\xff").expect_err("not UTF-8").told[0].line, 2);
    }
}
