//! Who is let in: the app's list, at the connection and, behind trusted hops,
//! at the client that they name.

use std::io::Write;
use std::net::Ipv4Addr;

use serde_json::json;

use crate::client::{Answer, Client, is_closed};
use crate::stage::{LISTED, NAME, Scene, Stage, UNLISTED};

const HOP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 30);

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n";

/// One request behind a PROXY header; nothing if there was no handshake.
fn behind(hop: &Client, header: &[u8]) -> Option<Answer> {
    let mut tcp = hop.tcp().ok()?;
    tcp.write_all(header).ok()?;
    let mut connection = hop.finish(tcp, NAME).ok()?;
    connection.write_all(REQUEST.as_bytes()).ok()?;
    Answer::read(&mut connection).ok()
}

fn v1(client: Ipv4Addr) -> Vec<u8> {
    format!("PROXY TCP4 {client} 127.0.0.1 4321 443\r\n").into_bytes()
}

fn v2(client: Ipv4Addr) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    header.extend(client.octets());
    header.extend([127, 0, 0, 1, 0x10, 0xe1, 0x01, 0xbb]);
    header
}

fn last_head(scene: &Scene<'_>) -> String {
    scene.upstream.asked().last().expect("a request").head.clone()
}

#[test]
fn the_list_decides_before_anything_is_answered() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        assert_eq!(scene.client(LISTED).get("/", "").expect("an answer").status, 200);
        let mut tcp = scene.client(UNLISTED).tcp().expect("the kernel accepts");
        assert!(is_closed(&mut tcp), "not one octet is answered");
    });
    assert_eq!(scene.upstream.asked().len(), 1);
    assert_eq!(scene.count("not_listed"), 1);
    assert_eq!(scene.count("listed"), 1);
}

#[test]
fn modes_mean_what_they_mean_for_packets() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        for (mode, is_served) in [("observe", true), ("off", true), ("enforce", false)] {
            scene.set(&json!({ "mode": mode }));
            assert_eq!(scene.client(UNLISTED).get("/", "").is_ok(), is_served, "{mode}");
        }
    });
}

#[test]
fn fields_that_tell_the_client_are_the_proxys_own() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let forged = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nX_Forwarded_For: 192.0.2.1\r\nCF-Connecting-IP: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nConnection: X-Hidden\r\nX-Hidden: 1\r\n";
        assert_eq!(scene.client(LISTED).get("/", forged).expect("an answer").status, 200);
    });
    let head = last_head(&scene);
    assert!(!head.contains("192.0.2.1") && !head.contains("x-hidden"), "{head}");
    for field in [
        "x-forwarded-for: 127.0.0.10\r\n",
        "forwarded: for=127.0.0.10;proto=https\r\n",
        "x-forwarded-proto: https\r\n",
        "x-forwarded-host: app.example.com\r\n",
    ] {
        assert!(head.contains(field), "{field:?} in {head}");
    }
}

#[test]
fn trailers_tell_nothing_about_the_client() {
    let stage = Stage::new();
    let scene = stage.start();
    let forged = "X-Forwarded-For: 192.0.2.1\r\nCookie: a=1\r\nX-Sum: 7\r\n";
    let head = format!("POST /body HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n");
    let names = "Trailer: x-forwarded-for, cookie, x-sum\r\n";
    let body = format!("2\r\nhi\r\n0\r\n{forged}\r\n");
    let request = format!("{head}{names}\r\n{body}");
    stage.run(|| {
        let answer = scene.client(LISTED).ask(&request).expect("an answer");
        assert_eq!(answer.text(), "hix-sum: 7\r\n");
    });
}

/// The library leaves bodies of some methods out unless it is told to send them.
#[test]
fn every_method_may_have_a_body() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for method in ["GET", "OPTIONS", "DELETE", "PATCH"] {
            for rest in [
                "Content-Length: 2\r\n\r\nhi",
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            ] {
                let request = format!("{method} /body HTTP/1.1\r\nHost: {NAME}\r\n{rest}");
                let answer = client.ask(&request).expect("an answer");
                assert_eq!((answer.status, answer.text().as_str()), (200, "hi"), "{request}");
            }
        }
    });
}

#[test]
fn a_hop_names_the_client_by_the_proxy_protocol() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "trusted_hops": [format!("{HOP}/32")] }));
    let hop = scene.client(HOP);
    stage.run(|| {
        for header in [v1(LISTED), v2(LISTED)] {
            assert_eq!(behind(&hop, &header).expect("an answer").status, 200);
            assert!(last_head(&scene).contains("x-forwarded-for: 127.0.0.10, 127.0.0.30\r\n"));
        }
        for header in [
            v1(UNLISTED),
            v2(UNLISTED),
            Vec::new(),
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY TCP4 nonsense\r\n".to_vec(),
            b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".to_vec(),
        ] {
            assert!(behind(&hop, &header).is_none(), "{header:?}");
        }
        // Who is no hop cannot speak for others, nor for itself.
        assert!(behind(&scene.client(LISTED), &v1(LISTED)).is_none());
        assert!(behind(&scene.client(UNLISTED), &v1(LISTED)).is_none());
        assert_eq!(scene.upstream.asked().len(), 2);
        assert!(scene.count("hop_header") >= 2);
        // A health check is the hop's own connection.
        let entry = json!({ "address": HOP.to_string() });
        let path = format!("{}/access_list", scene.app.ours);
        scene.control().must(hyper::Method::POST, &path, Some(&entry));
        for header in [&b"PROXY UNKNOWN\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"] {
            assert_eq!(behind(&hop, header).expect("an answer").status, 200);
            assert!(last_head(&scene).contains("x-forwarded-for: 127.0.0.30\r\n"));
        }
    });
}

#[test]
fn a_hop_names_the_client_in_each_request() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "trusted_hops": [format!("{HOP}/32"), "10.0.0.0/8"] }));
    let hop = scene.client(HOP);
    let status = |fields: &str| hop.get("/", fields).map(|answer| answer.status).unwrap_or(0);
    stage.run(|| {
        scene.set_proxy(json!({ "hop_header": "x-forwarded-for" }));
        for (fields, expected) in [
            ("X-Forwarded-For: 127.0.0.10\r\n", 200),
            ("X-Forwarded-For: 192.0.2.1, 127.0.0.10\r\n", 200),
            ("X-Forwarded-For: 127.0.0.10, 10.1.1.1\r\n", 200),
            ("X-Forwarded-For: 127.0.0.10\r\nX-Forwarded-For: 10.1.1.1\r\n", 200),
            ("X-Forwarded-For: 127.0.0.20\r\n", 403),
            ("X-Forwarded-For: 127.0.0.10, 127.0.0.20\r\n", 403),
            ("X-Forwarded-For: 10.1.1.1\r\n", 403),
            ("X-Forwarded-For: nonsense\r\n", 403),
            ("Forwarded: for=127.0.0.10\r\n", 403),
            ("", 403),
        ] {
            assert_eq!(status(fields), expected, "{fields:?}");
        }
        assert!(behind(&hop, &v1(LISTED)).is_none(), "another header was agreed");
        scene.set_proxy(json!({ "hop_header": "forwarded" }));
        assert_eq!(status("Forwarded: for=127.0.0.10;proto=http\r\n"), 200);
        assert_eq!(status("Forwarded: for=127.0.0.20\r\n"), 403);
        assert_eq!(status("X-Forwarded-For: 127.0.0.10\r\n"), 403);
        for hidden in [
            "for=127.0.0.20;host=\"a, for=127.0.0.10;x=\"",
            "host=\"a;for=127.0.0.10;x=\";for=127.0.0.20",
            "for=unknown;for=127.0.0.10",
            "host=\"a, for=127.0.0.10",
        ] {
            assert_eq!(status(&format!("Forwarded: {hidden}\r\n")), 403, "{hidden}");
        }
    });
}
