//! Origins, each as a real request.

use std::io::Write;

use serde_json::json;

use crate::client::Answer;
use crate::stage::{LISTED, NAME, Stage};

const ORIGINS: [&str; 6] = [
    "https://app.example.com",
    "http://localhost:3000",
    "https://bücher.example",
    "https://[2001:db8::1]:8443",
    "http://192.0.2.1",
    "HTTPS://Other.Example:443",
];

/// Field values, and whether they are let in.
const VECTORS: [(&str, bool); 66] = [
    ("https://app.example.com", true),
    ("HTTPS://APP.EXAMPLE.COM", true),
    ("https://App.Example.Com", true),
    ("https://app.example.com:443", true),
    ("HTTPS://app.example.com:443", true),
    ("https://other.example", true),
    ("https://other.example:443", true),
    ("http://localhost:3000", true),
    ("http://LOCALHOST:3000", true),
    ("https://xn--bcher-kva.example", true),
    ("https://XN--BCHER-KVA.example", true),
    ("https://[2001:db8::1]:8443", true),
    ("https://[2001:DB8::1]:8443", true),
    ("https://[2001:db8:0:0:0:0:0:1]:8443", true),
    ("http://192.0.2.1", true),
    ("http://192.0.2.1:80", true),
    ("null", false),
    ("NULL", false),
    ("", false),
    ("*", false),
    ("https://*", false),
    ("https://*.example.com", false),
    ("http://app.example.com", false),
    ("http://app.example.com:443", false),
    ("wss://app.example.com", false),
    ("ws://app.example.com", false),
    ("ftp://app.example.com", false),
    ("file://app.example.com", false),
    ("file://", false),
    ("//app.example.com", false),
    ("app.example.com", false),
    ("https:app.example.com", false),
    ("https:/app.example.com", false),
    ("https:///app.example.com", false),
    ("https://app.example.com:80", false),
    ("https://app.example.com:8443", false),
    ("https://app.example.com:0443", false),
    ("https://app.example.com:00443", false),
    ("https://app.example.com:", false),
    ("https://app.example.com:+443", false),
    ("https://app.example.com:65979", false),
    ("https://app.example.com:443:443", false),
    ("https://app.example.com.", false),
    ("https://app.example.com..", false),
    ("https://app.example.com/", false),
    ("https://app.example.com/path", false),
    ("https://app.example.com?query", false),
    ("https://app.example.com#fragment", false),
    ("https://app.example.com\\", false),
    ("https://user@app.example.com", false),
    ("https://user:password@app.example.com", false),
    ("https://app.example.com@evil.test", false),
    ("https://evil.test#app.example.com", false),
    ("https://app.example.com.evil.test", false),
    ("https://evilapp.example.com", false),
    ("https://evil-app.example.com", false),
    ("https://sub.app.example.com", false),
    ("https://example.com", false),
    ("https://app.example.com,https://evil.test", false),
    ("https://app.example.com https://evil.test", false),
    ("https://app%2eexample.com", false),
    ("https://app.example.com%00.evil.test", false),
    ("https://app\u{3002}example.com", false),
    ("https://[2001:db8::2]:8443", false),
    ("https://2001:db8::1:8443", false),
    ("http://3221225985", false),
];

#[test]
fn every_vector_is_judged_as_a_request() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "origins": ORIGINS }));
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut let_in = 0;
        for (origin, is_listed) in VECTORS {
            let answer = client.get("/", &format!("Origin: {origin}\r\n")).expect("an answer");
            assert_eq!(answer.status, if is_listed { 200 } else { 403 }, "{origin:?}");
            if !is_listed {
                assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
                assert!(answer.text().contains("OriginNotAllowed"), "{}", answer.text());
            }
            let_in += usize::from(is_listed);
            assert_eq!(scene.upstream.asked().len(), let_in, "{origin:?}");
        }
        let twice = "Origin: https://app.example.com\r\nOrigin: https://app.example.com\r\n";
        assert_eq!(client.get("/", twice).expect("an answer").status, 403);
        assert_eq!(client.get("/", "").expect("an answer").status, 200);
    });
}

#[test]
fn without_an_origin_the_setting_decides() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "origins": ["https://app.example.com"], "require_origin": true }));
    let client = scene.client(LISTED);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let listed = "Origin: https://app.example.com\r\n";
    let post = |fields: &str| {
        format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 0\r\n{fields}\r\n")
    };
    stage.run(|| {
        let status = |answer: std::io::Result<crate::client::Answer>| answer.expect("one").status;
        assert_eq!(status(client.get("/", "")), 200);
        assert_eq!(status(client.ask(&post(""))), 403);
        assert_eq!(status(client.ask(&post(listed))), 200);
        assert_eq!(status(client.get("/ws", upgrade)), 403);
        assert_eq!(
            status(client.get("/ws", &format!("{upgrade}Origin: https://evil.test\r\n"))),
            403
        );
        assert_eq!(status(client.get("/ws", &format!("{upgrade}{listed}"))), 101);
        scene.set(&json!({ "require_origin": false }));
        assert_eq!(status(client.ask(&post(""))), 200);
        assert_eq!(status(client.get("/ws", upgrade)), 101);
    });
    assert_eq!(scene.count("origin_missing"), 2);
    assert_eq!(scene.count("origin_not_listed"), 1);
}

/// What a client still sends is taken; where it is not, the answer says that the
/// connection ends.
#[test]
fn a_refused_body_ends_its_connection_only_where_it_has_to() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "origins": ["https://app.example.com"] }));
    let client = scene.client(LISTED);
    let head = |fields: &str| {
        let origin = "Origin: https://evil.test";
        format!("POST / HTTP/1.1\r\nHost: {NAME}\r\n{origin}\r\n{fields}\r\n\r\n")
    };
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        for length in [2, 200_000] {
            let body = vec![b'b'; length];
            write!(connection, "{}", head(&format!("Content-Length: {length}"))).expect("out");
            connection.write_all(&body).expect("it goes out");
            let answer = Answer::read(&mut connection).expect("an answer");
            assert_eq!(answer.status, 403);
            assert!(!answer.head.contains("connection: close"), "{}", answer.head);
        }
        write!(connection, "GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("out");
        assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
        for fields in ["Content-Length: 9", "Content-Length: 9\r\nExpect: 100-continue"] {
            let mut connection = client.connect().expect("a handshake");
            write!(connection, "{}", head(fields)).expect("out");
            let answer = Answer::read(&mut connection).expect("an answer");
            assert_eq!(answer.status, 403, "{fields}");
            assert!(answer.head.contains("connection: close"), "{fields}: {}", answer.head);
        }
    });
}
