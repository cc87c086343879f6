//! An upstream that fails: the right answer in time, and other apps do not
//! notice.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use filter_tests::deadline::wait_for;
use serde_json::json;

use crate::client::{Answer, is_closed};
use crate::stage::{LISTED, NAME, Stage};
use crate::upstream::EARLY_BYTES;

#[test]
fn each_phase_has_its_answer() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set_proxy(json!({ "patience_s": 1 }));
    let client = scene.client(LISTED);
    stage.run(|| {
        for (path, status, code) in [
            ("/close", 502, "BadGateway"),
            ("/half-head", 502, "BadGateway"),
            ("/nonsense", 502, "BadGateway"),
            ("/silent", 504, "GatewayTimeout"),
        ] {
            let answer = client.get(path, "").expect("an answer");
            assert_eq!(answer.status, status, "{path}");
            assert!(answer.text().contains(code), "{path}: {}", answer.text());
            assert_eq!(client.get("/", "").expect("an answer").status, 200, "after {path}");
        }
        let mut connection = client.connect().expect("a handshake");
        write!(connection, "GET /half-body HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("it goes out");
        let mut answer = Vec::new();
        // The end without close_notify is an error of its own.
        let _ = connection.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains("content-length: 100") && answer.ends_with("half"), "{answer}");
    });
    assert_eq!(scene.count("upstream_failed"), 3);
    assert_eq!(scene.count("upstream_timeout"), 1);
}

#[test]
fn an_upstream_that_is_not_there_is_a_bad_gateway_and_the_next_one_has_its_turn() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
        let dead = format!("http://{free}");
        scene.set_proxy(json!({ "upstreams": [dead] }));
        let asked = Instant::now();
        assert_eq!(client.get("/", "").expect("an answer").status, 502);
        assert!(asked.elapsed().as_secs() < 6);
        let live = format!("http://127.0.0.1:{}", scene.upstream.port);
        scene.set_proxy(json!({ "upstreams": [dead, live] }));
        for _ in 0..4 {
            assert_eq!(client.get("/", "").expect("an answer").status, 200);
        }
        scene.set_proxy(json!({ "upstreams": [] }));
        assert_eq!(client.get("/", "").expect("an answer").status, 503);
    });
}

#[test]
fn an_answer_that_comes_early_arrives_whole() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        let head =
            format!("POST /early HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 99999999\r\n\r\n");
        connection.write_all(&[head.as_bytes(), &[b'u'; 1 << 16]].concat()).expect("it goes out");
        wait_for("the upstream to be asked", || (!scene.upstream.asked().is_empty()).then_some(()));
        // Pieces so small that the proxy is always ahead of the client.
        let mut answer = Vec::new();
        let mut piece = [0; 512];
        while let Some(count) = connection.read(&mut piece).ok().filter(|count| *count > 0) {
            answer.extend_from_slice(&piece[..count]);
        }
        let head_ends = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head");
        assert_eq!(answer.len() - head_ends - 4, EARLY_BYTES);
    });
}

#[test]
fn limits_hold() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set_proxy(json!({ "body_limit_bytes": 10 }));
    let client = scene.client(LISTED);
    let post = |rest: &str| format!("POST / HTTP/1.1\r\nHost: {NAME}\r\n{rest}");
    stage.run(|| {
        let status = |request: &str| client.ask(request).expect("an answer").status;
        assert_eq!(status(&post("Content-Length: 10\r\n\r\n0123456789")), 200);
        assert_eq!(status(&post("Content-Length: 11\r\n\r\n0123456789a")), 413);
        let chunked = "Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n";
        assert_eq!(status(&post(chunked)), 413);
        let many = "a: b\r\n".repeat(200);
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n{many}\r\n")), 431);
        let long = format!("a: {}\r\n", "b".repeat(80 << 10));
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n{long}\r\n")), 431);
    });
}

#[test]
fn trailers_come_through() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        let fields = "TE: trailers\r\nConnection: close, te\r\n";
        write!(connection, "GET /trailers HTTP/1.1\r\nHost: {NAME}\r\n{fields}\r\n").expect("out");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("text");
        assert!(answer.ends_with("4\r\ndata\r\n0\r\nx-sum: 7\r\n\r\n"), "{answer}");
    });
}

#[test]
fn a_stop_lets_open_requests_end() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut idle = client.connect().expect("a handshake");
        write!(idle, "GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("it goes out");
        assert_eq!(Answer::read(&mut idle).expect("an answer").status, 200);
        assert!(scene.daemon.stop().success());
        assert!(is_closed(&mut idle));
    });
}
