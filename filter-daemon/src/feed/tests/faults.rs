//! Faults are all told, at their places, and nothing is taken.

use super::forms::{AWS, AZURE, FULL, GITHUB, ORACLE};
use super::*;

fn lines(text: &str) -> Vec<usize> {
    faults_of(read_text(text)).into_iter().map(|fault| fault.line).collect()
}

/// A text with the one fault at a place, and a word of the reason.
#[track_caller]
fn assert_fault(outcome: Result<Feed, FeedError>, line: usize, path: &str, word: &str) {
    let faults = faults_of(outcome);
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!((fault.line, fault.path.as_str()), (line, path), "{fault}");
    assert!(fault.why.contains(word), "no {word:?} in {fault}");
}

#[test]
fn every_fault_has_its_line() {
    assert_eq!(lines("192.0.2.1\nnonsense\n10.0.0.1/8\n192.0.2.2 office\n"), [2, 3, 4]);
    assert_eq!(lines("[\n\"192.0.2.1\",\n7,\n\"nonsense\",\n[\"192.0.2.2\"]\n]"), [3, 4, 5]);
    assert_eq!(lines("192.0.2.0/24,US\nnonsense,US\n192.0.2.1,198.51.100.1\n"), [2, 3]);
    let bytes = b"192.0.2.1\n\xff\n";
    let outcome = read(&Source { name: None, bytes }, &Reading::default());
    assert_fault(outcome, 2, "", "UTF-8");
    let utf16: Vec<u8> = "\u{feff}1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let outcome = read(&Source { name: None, bytes: &utf16 }, &Reading::default());
    assert_fault(outcome, 1, "", "UTF-16");
}

#[test]
fn json_faults_have_their_path_too() {
    for (text, old, new, line, path, word) in [
        (AWS, "203.0.113.0/24", "203.0.113.1/24", 12, "prefixes[1].ip_prefix", "203.0.113.1/32"),
        (AWS, "\"ipv6_prefix\"", "\"ipv7_prefix\"", 25, "ipv6_prefixes[0]", "ipv6_prefix"),
        (AWS, "\"S3\"", "3", 20, "prefixes[2]", "string"),
        (AZURE, "203.0.113.7/32", "?", 24, "values[1].properties.addressPrefixes[1]", "\"?\""),
        (AZURE, "addressPrefixes", "addressPrefix", 5, "values[0]", "addressPrefixes"),
        (ORACLE, "203.0.113.0/25", "", 6, "regions[0].cidrs[1].cidr", "missing"),
        (ORACLE, "\"cidrs\": [\n", "\"cidr\": [\n", 4, "regions[0]", "cidrs"),
        (GITHUB, "192.0.2.0/24", "192.0.2.0/33", 4, "hooks[0]", "prefix length"),
        (FULL, "\"comment\"", "\"commnet\"", 2, "entries[0]", "commnet"),
        (FULL, "T19:00:00+01:00", " at noon", 3, "entries[1].expires", "RFC 3339"),
        (FULL, "/32\", \"enabled\": false", "/32\"", 4, "entries[2].address", "twice"),
    ] {
        let text = text.replacen(old, new, 1);
        assert_fault(read_text(&text), line, path, word);
    }
    let minified = r#"{"addresses":["192.0.2.0/24","x"],"ipv6_addresses":7}"#;
    let faults = faults_of(read_text(minified));
    let paths: Vec<_> = faults.iter().map(|fault| (fault.line, fault.path.as_str())).collect();
    assert_eq!(paths, [(1, "addresses[1]"), (1, "ipv6_addresses")]);
}

#[test]
fn what_is_no_json_says_where() {
    assert_fault(read_text("[\"192.0.2.1\",\n\"192.0.2.2\"\n"), 3, "", "EOF");
    assert_fault(read_text("{\"prefixes\": [],\n}"), 2, "", "trailing comma");
    assert_fault(read_text("{\"prefixes\": [1]}"), 1, "", "no known form");
    assert_fault(
        read_as(Format::Google, "{\"prefixes\": [1]}"),
        1,
        "prefixes[0]",
        "object is needed",
    );
    assert_fault(read_text("{\"values\": [], \"values\": []}"), 1, "", "twice");
}

#[test]
fn unknown_forms_are_told_what_is_known() {
    let unknown = r#"{"cloudName": "x", "hubPrefixes": ["192.0.2.0/24"]}"#;
    let faults = faults_of(read_text(unknown));
    let why = &faults[0].why;
    for word in ["cloudName, hubPrefixes", "aws: ", "ip_prefix", "full: ", "spamhaus: "] {
        assert!(why.contains(word), "no {word:?} in {why}");
    }
    assert_fault(read_text("<html><body>Not found"), 1, "", "HTML");
    assert_fault(read_as(Format::Aws, "192.0.2.1"), 1, "", "this is no JSON");
    assert_fault(read_as(Format::Text, AWS), 1, "", "this is JSON");
    assert_fault(read_as(Format::Aws, GITHUB), 1, "", "no `prefixes` and no `ipv6_prefixes`");
}

#[test]
fn no_address_is_lost_in_silence() {
    for (text, word) in [
        ("192.0.2.1;198.51.100.1\n", "198.51.100.1 stands behind a semicolon"),
        ("192.0.2.1 198.51.100.1\n", "text behind"),
        ("192.0.2.0/24,198.51.100.1,US\n", "second column"),
        ("192.0.2.0/24,US,US-TX,198.51.100.1\n", "second address"),
        ("\"192.0.2.0/24\n198.51.100.0/24\"\n", "198.51.100.0/24"),
        ("192.0.2.1-20\n", "no end of a range"),
        ("192.0.2.9-192.0.2.1\n", "before it begins"),
        (r#"{"hooks":[],"more":{"eu":["192.0.2.0/24"]}}"#, "form that is not known"),
        (r#"{"hooks":[],"more":["x","192.0.2.0/24"]}"#, "\"x\""),
        (r#"{"inbound":{"aws":"192.0.2.0/24"}}"#, "outside of any array"),
        (r#"{"result":{"cidrs":[]}}"#, "ipv4_cidrs"),
        (r#"{"entries":[],"entrys":[]}"#, "is not known here"),
    ] {
        let faults = faults_of(read_text(text));
        let told = faults.iter().any(|fault| fault.why.contains(word));
        assert!(told, "{text}: no {word:?} in {faults:?}");
    }
    for text in ["192.0.2.1,office", "address,comment\n192.0.2.1,office\n"] {
        let line = text.lines().count();
        assert_fault(read_text(text), line, "", "second column");
    }
    let deep = format!("{{\"inbound\":{}{}}}", "[".repeat(90), "]".repeat(90));
    assert!(faults_of(read_text(&deep))[0].why.contains("too deep"));
}

#[test]
fn comments_have_a_limit() {
    let text = format!("192.0.2.1\n192.0.2.2 # {}\n", "x".repeat(1025));
    assert_fault(read_text(&text), 2, "", "1024");
    assert!(read_text(&text.replacen('x', "", 1)).is_ok());
}

#[test]
fn long_texts_are_cut_in_faults() {
    let faults = faults_of(read_text(&"9".repeat(1_000_000)));
    assert!(faults[0].why.len() < 200, "{}", faults[0].why);
    let faults = faults_of(read_text(&format!("[{}]", "{".repeat(100) + &"}".repeat(100))));
    assert!(faults[0].why.len() < 200, "{}", faults[0].why);
}
