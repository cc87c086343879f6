//! What is an origin, what is not, and which of them are the same.

use super::*;

#[test]
fn the_text_is_kept_and_the_meaning_is_canonical() {
    for (text, canonical) in [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("http://app.example.com:443", "http://app.example.com:443"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
        ("https://app.example.com.", "https://app.example.com."),
        ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://[::ffff:192.0.2.1]", "https://[::ffff:c000:201]"),
        ("http://192.0.2.1:8080", "http://192.0.2.1:8080"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("ws://app.example.com:80", "ws://app.example.com"),
        (
            "chrome-extension://aapbdbdomjkkjkaonfhkkikf",
            "chrome-extension://aapbdbdomjkkjkaonfhkkikf",
        ),
        ("capacitor://localhost", "capacitor://localhost"),
        ("null", "null"),
    ] {
        let origin = Origin::parse(text).expect(text);
        assert_eq!((origin.text(), origin.canonical()), (text, canonical));
        assert!(origin.is(canonical) && (!text.is_ascii() || origin.is(text)), "{text}");
    }
}

#[test]
fn another_scheme_host_or_port_is_another_origin() {
    let listed = Origin::parse("https://app.example.com").expect("an origin");
    for requested in [
        "http://app.example.com",
        "wss://app.example.com",
        "https://example.com",
        "https://www.app.example.com",
        "https://app.example.com.evil.test",
        "https://evil-app.example.com",
        "https://app.example.com:444",
        "https://app.example.com.",
        "https://app.example.com/",
        "https://app.example.com@evil.test",
        "https://evil.test@app.example.com",
        "https://app.example.com https://evil.test",
        " https://app.example.com",
        "app.example.com",
        "null",
        "",
    ] {
        assert!(!listed.is(requested), "{requested}");
    }
}

#[test]
fn faults_say_what_to_do() {
    for (text, word) in [
        ("", "missing"),
        ("*", "list each one"),
        ("https://*.example.com", "list each one"),
        ("app.example.com", "https://"),
        ("NULL", "null"),
        ("https:app.example.com", "scheme"),
        ("://app.example.com", "scheme"),
        ("1a://app.example.com", "scheme"),
        ("file:///home", "null"),
        ("https://app.example.com/", "a slash"),
        ("https://app.example.com/path", "a path"),
        ("https://app.example.com?a", "a query"),
        ("https://app.example.com#a", "a fragment"),
        ("https://user@app.example.com", "a user"),
        ("https://app example.com", "spaces"),
        ("https://app%2eexample.com", "'%'"),
        ("https://a\\b", "\\"),
        ("https://", "empty"),
        ("https://:443", "empty"),
        ("https://a..b", "two dots"),
        ("https://.a", "two dots"),
        ("https://app.example.com:", "port"),
        ("https://app.example.com:0443", "port"),
        ("https://app.example.com:0", "port"),
        ("https://app.example.com:65536", "port"),
        ("https://app.example.com:+1", "port"),
        ("https://[2001:db8::1", "[ ]"),
        ("https://[fe80::1%eth0]", "'%'"),
        ("https://2001:db8::1", "port"),
        ("http://0x7f.1", "127.0.0.1"),
        ("http://127.1", "127.0.0.1"),
        ("http://127.0.0.1.", "127.0.0.1"),
        ("http://1.2.3.256", "host"),
        ("https://xn--a", "host"),
    ] {
        let error = Origin::parse(text).expect_err(text).to_string();
        assert!(error.contains(word), "{text:?}: {error}");
    }
}
