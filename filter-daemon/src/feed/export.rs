//! What an export writes. Every form reads back by the reader of its name.

use std::fmt::Write as _;

use serde::Serialize;

/// An entry on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export<'a> {
    /// The address as typed.
    pub address: &'a str,
    /// What it is for.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub comment: &'a str,
    /// Whether it lets anybody in.
    pub enabled: bool,
    /// Until when (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<&'a str>,
}

#[derive(Serialize)]
struct Full<'a> {
    entries: &'a [Export<'a>],
}

/// An array of addresses, sorted as text.
pub fn flat_json(addresses: &[&str]) -> String {
    pretty(&sorted(addresses))
}

/// One address a line, sorted as text.
pub fn flat_csv(addresses: &[&str]) -> String {
    let mut text = String::new();
    for address in sorted(addresses) {
        text.push_str(address);
        text.push('\n');
    }
    text
}

/// One address a line with its comment, in the order of the list.
pub fn text(entries: &[Export<'_>]) -> String {
    let mut text = String::new();
    for entry in entries {
        text.push_str(entry.address);
        // A comment ends with its line, and nothing in it is for a terminal to obey.
        let ends_word = |character: char| character.is_whitespace() || character.is_control();
        let words = entry.comment.split(ends_word).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.collect();
        if !words.is_empty() {
            write!(text, "  # {}", words.join(" ")).expect("a String takes everything");
        }
        text.push('\n');
    }
    text
}

/// All that belongs to the entries, in the order of the list.
pub fn full(entries: &[Export<'_>]) -> String {
    pretty(&Full { entries })
}

fn sorted<'a>(addresses: &[&'a str]) -> Vec<&'a str> {
    let mut addresses = addresses.to_vec();
    addresses.sort_unstable();
    addresses
}

fn pretty(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("texts and flags are always JSON");
    text.push('\n');
    text
}
