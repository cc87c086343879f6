//! The flags of an import, and what is sent for which file.

use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::feed::{self, Source};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(words: &[&str]) -> Result<Options, clap::Error> {
    Line::try_parse_from(["import", "list"].iter().chain(words)).map(|line| line.options)
}

fn sent(words: &[&str], text: &str) -> Value {
    let options = options(words).expect("valid");
    let reading = options.selection.reading(options.force);
    let source = Source { name: None, bytes: text.as_bytes() };
    let feed = feed::read(&source, &reading).expect("a list");
    serde_json::to_value(options.body(&feed)).expect("JSON")
}

#[test]
fn a_list_leaves_alone_what_it_does_not_speak_of() {
    let body = sent(&[], "192.0.2.1 # office\n::1\n");
    let entries = json!([{"address": "192.0.2.1", "comment": "office"}, {"address": "::1"}]);
    assert_eq!(body["entries"], entries);
    assert_eq!((&body["replace"], &body["shrink_guard_percent"]), (&json!(false), &Value::Null));
    let body = sent(&["--comment", "lab", "--family", "6"], "192.0.2.1 # office\n::1\n");
    assert_eq!(body["entries"], json!([{"address": "::1", "comment": "lab"}]));
}

#[test]
fn an_export_says_everything() {
    let text = r#"{"entries":[{"address":"::1"},{"address":"::2","comment":"x","enabled":false,
        "expires":"2040-01-01T00:00:00Z"}]}"#;
    let entries = json!([
        {"address": "::1", "comment": "", "enabled": true, "expires": null},
        {"address": "::2", "comment": "x", "enabled": false, "expires": "2040-01-01T00:00:00Z"},
    ]);
    assert_eq!(sent(&[], text)["entries"], entries);
}

#[test]
fn the_guard_belongs_to_a_replacement_and_yields_to_force() {
    for (words, guard) in [
        (&["--replace"][..], json!(50)),
        (&["--replace", "--shrink-guard", "0"], json!(0)),
        (&["--replace", "--force"], Value::Null),
        (&["--replace", "--dry-run"], Value::Null),
    ] {
        let body = sent(words, "192.0.2.1");
        assert_eq!(body["shrink_guard_percent"], guard, "{words:?}");
        assert_eq!(body["dry_run"], words.contains(&"--dry-run"), "{words:?}");
    }
    for words in [
        &["--shrink-guard", "10"][..],
        &["--replace", "--shrink-guard", "101"],
        &["--format", "xml"],
        &["--family", "5"],
    ] {
        assert!(options(words).is_err(), "{words:?}");
    }
}
