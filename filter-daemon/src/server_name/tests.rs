//! What is a server name, what is not, and which names a pattern holds.

use super::*;

fn admits(pattern: &str, asked: &str) -> bool {
    let pattern = ServerName::parse(pattern).expect("a pattern");
    HostName::parse(asked).is_ok_and(|asked| pattern.admits(&asked))
}

#[test]
fn a_wildcard_stands_for_one_or_more_labels_in_front() {
    let pattern = "*.services.example.com";
    for asked in [
        "app.services.example.com",
        "us-east-1.aws.services.example.com",
        "APP.Services.Example.COM",
        "app.services.example.com.",
        "_x.services.example.com",
    ] {
        assert!(admits(pattern, asked), "{asked}");
    }
    for asked in [
        "services.example.com",
        ".services.example.com",
        "appservices.example.com",
        "app.services.example.com.evil.test",
        "app.example.com",
        "app..services.example.com",
    ] {
        assert!(!admits(pattern, asked), "{asked}");
    }
}

#[test]
fn a_name_stands_for_itself() {
    assert!(admits("app.example.com", "App.Example.com."));
    assert!(admits("App.Example.com.", "app.example.com"));
    assert!(admits("bücher.example", "xn--bcher-kva.example"));
    assert!(!admits("app.example.com", "www.app.example.com"));
    assert!(!admits("app.example.com", "example.com"));
}

#[test]
fn equal_names_are_found_however_they_are_written() {
    let same = |a, b| {
        ServerName::parse(a).expect("a name").is_same(&ServerName::parse(b).expect("a name"))
    };
    assert!(same("*.Example.com", "*.example.com."));
    assert!(!same("*.example.com", "example.com"));
}

#[test]
fn faults_say_what_to_do() {
    for (text, word) in [
        ("", "missing"),
        ("*", "first label"),
        ("*.", "missing"),
        ("a.*.example.com", "first label"),
        ("*a.example.com", "first label"),
        ("*.*.example.com", "first label"),
        ("192.0.2.1", "IP address"),
        ("2001:db8::1", "IP address"),
        ("[2001:db8::1]", "IP address"),
        ("*.192.0.2.1", "IP address"),
        ("https://app.example.com", "scheme"),
        ("app.example.com:443", "port"),
        ("app.example.com/x", "path"),
        ("a..example.com", "empty"),
        ("-a.example.com", "begins"),
        ("a b.example.com", "not a host name"),
        ("a!.example.com", "does not have"),
        (&"a".repeat(64), "too long"),
        (&["abcdefgh"; 30].join("."), "too long"),
    ] {
        let Err(error) = ServerName::parse(text) else { panic!("{text:?} was taken") };
        let error = error.to_string();
        assert!(error.contains(word) || error.contains("do not have"), "{text:?}: {error}");
    }
}
