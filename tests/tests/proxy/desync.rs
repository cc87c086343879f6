//! Requests that two readers could divide in two ways: refused, and never two
//! requests at the upstream.

use std::io::Write;

use serde_json::json;

use crate::client::{Answer, is_closed};
use crate::stage::{LISTED, NAME, Stage};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n";

/// Heads behind `POST / HTTP/1.1` and the host, and what follows them.
const CASES: [(&str, &str, &str); 26] = [
    ("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
    ("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "1e\r\nx\r\n0\r\n\r\n"),
    (
        "TE.TE identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "0\r\n\r\n",
    ),
    ("TE.TE list", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
    ("TE gzip", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    ("TE unknown", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
    ("TE space before colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
    ("TE vertical tab", "Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
    ("TE quoted", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
    ("TE folded", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
    ("CL twice, equal", "Content-Length: 0\r\nContent-Length: 0\r\n", ""),
    ("CL twice, different", "Content-Length: 0\r\nContent-Length: 50\r\n", ""),
    ("CL list", "Content-Length: 0, 0\r\n", ""),
    ("CL sign", "Content-Length: +0\r\n", ""),
    ("CL negative", "Content-Length: -1\r\n", ""),
    ("CL hex", "Content-Length: 0x0\r\n", ""),
    ("CL space", "Content-Length: 0 0\r\n", ""),
    ("CL overflow", "Content-Length: 18446744073709551616\r\n", ""),
    ("bare LF in the head", "X: a\nContent-Length: 0\r\n", ""),
    ("bare LF at its end", "Content-Length: 0\r\nX: a\n", ""),
    ("bare CR", "X: a\rContent-Length: 50\r\n", ""),
    ("obs-fold", "X: a\r\n Content-Length: 50\r\n", ""),
    ("NUL", "X: a\0b\r\n", ""),
    ("no colon", "Content-Length 0\r\n", ""),
    ("host twice", "Host: evil.test\r\n", ""),
    ("upgrade with a body", "Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 1\r\n", "x"),
];

/// Chunked bodies that cannot be followed.
const CHUNKS: [(&str, &str); 10] = [
    ("LF after the size", "1\nx\r\n0\r\n\r\n"),
    ("LF after the data", "1\r\nx\n0\r\n\r\n"),
    ("space before the size", " 1\r\nx\r\n0\r\n\r\n"),
    ("space after the size", "1 \r\nx\r\n0\r\n\r\n"),
    ("hex prefix", "0x1\r\nx\r\n0\r\n\r\n"),
    ("sign", "+1\r\nx\r\n0\r\n\r\n"),
    ("overflow", "10000000000000001\r\nx\r\n0\r\n\r\n"),
    ("LF in an extension", "1;a\nb\r\nx\r\n0\r\n\r\n"),
    ("data too long", "1\r\nxx\r\n0\r\n\r\n"),
    ("folded trailer", "0\r\n a: b\r\n\r\n"),
];

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for (case, fields, body) in CASES {
            let request =
                format!("POST / HTTP/1.1\r\nHost: {NAME}\r\n{fields}\r\n{body}{SMUGGLED}");
            let mut connection = client.connect().expect("a handshake");
            connection.write_all(request.as_bytes()).expect("it goes out");
            let answer = Answer::read(&mut connection).unwrap_or_else(|e| panic!("{case}: {e}"));
            assert_eq!(answer.status, 400, "{case}");
            assert!(is_closed(&mut connection), "{case}");
            assert!(scene.upstream.asked().is_empty(), "{case}");
        }
        assert!(scene.count("malformed") >= CASES.len() as u64);
    });
}

#[test]
fn a_chunked_body_that_cannot_be_followed_ends_the_connection() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for (case, body) in CHUNKS {
            scene.upstream.forget();
            let mut connection = client.connect().expect("a handshake");
            let head =
                format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n");
            write!(connection, "{head}{body}{SMUGGLED}").expect("it goes out");
            if let Ok(answer) = Answer::read(&mut connection) {
                assert_eq!(answer.status, 400, "{case}");
            }
            assert!(is_closed(&mut connection), "{case}");
            let asked = scene.upstream.asked();
            assert!(asked.iter().all(|asked| !asked.head.contains("smuggled")), "{case}");
        }
        assert_eq!(scene.count("upstream_failed"), 0, "it is the client's fault");
    });
}

#[test]
fn requests_one_after_the_other_stay_apart() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        let bodies = [
            "Content-Length: 5\r\n\r\nhello",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
            "\r\n",
        ];
        let all: String = bodies
            .iter()
            .map(|rest| format!("POST / HTTP/1.1\r\nHost: {NAME}\r\n{rest}"))
            .collect();
        // Octet by octet, as bad as it can get, and at once.
        for byte in all.as_bytes() {
            connection.write_all(&[*byte]).expect("it goes out");
        }
        connection.write_all(all.as_bytes()).expect("it goes out");
        for number in 0..2 * bodies.len() {
            let answer = Answer::read(&mut connection).unwrap_or_else(|e| panic!("{number}: {e}"));
            assert_eq!(answer.status, 200, "{number}");
        }
        assert_eq!(scene.upstream.asked().len(), 2 * bodies.len());
    });
}

/// Whoever refuses it, what follows was never looked at.
#[test]
fn an_upgrade_that_is_refused_ends_the_connection() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "origins": ["https://a.example.com"] }));
    let client = scene.client(LISTED);
    let websocket = "Upgrade: websocket\r\n";
    stage.run(|| {
        for (path, fields, status, asked) in [
            ("/no-upgrade", websocket, 200, 1),
            ("/ws", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", 200, 1),
            ("/ws", "Upgrade: websocket, HTTP/2.0\r\n", 200, 1),
            ("/close", websocket, 502, 1),
            ("/ws", "Upgrade: websocket\r\nOrigin: https://b.example.com\r\n", 403, 0),
        ] {
            scene.upstream.forget();
            let mut connection = client.connect().expect("a handshake");
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: Upgrade\r\n{fields}\r\n"
            );
            write!(connection, "{head}{SMUGGLED}").expect("it goes out");
            let answer = Answer::read(&mut connection).expect("an answer");
            assert_eq!(answer.status, status, "{fields}");
            assert!(is_closed(&mut connection), "{path} {fields}");
            assert_eq!(scene.upstream.asked().len(), asked, "{path} {fields}");
            let heads = scene.upstream.asked().into_iter().map(|asked| asked.head);
            let names_http =
                heads.into_iter().any(|head| head.contains("h2c") || head.contains("http/2"));
            assert!(!names_http, "{fields}");
        }
        scene.upstream.forget();
        let mut connection = client.connect().expect("a handshake");
        let head = "GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: Upgrade\r\n";
        write!(connection, "{head}{websocket}\r\n{SMUGGLED}").expect("it goes out");
        assert_eq!(Answer::read(&mut connection).expect("an answer").status, 421);
        assert!(is_closed(&mut connection) && scene.upstream.asked().is_empty());
    });
}
