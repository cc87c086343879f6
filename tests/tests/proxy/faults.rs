//! An upstream that fails: the right answer in time, and other apps do not
//! notice.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use filter_tests::deadline::wait_for;
use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::client::{Answer, is_closed};
use crate::stage::{LISTED, NAME, Scene, Stage};
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
        let counts = || (scene.count("too_large"), scene.count("head_too_large"));
        wait_for("all to be counted", || (counts() == (2, 2)).then_some(()));
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

/// An upstream is silent from when it has what the client sent, and no earlier.
#[test]
fn a_long_upload_is_no_silence_of_the_upstream() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set_proxy(json!({ "patience_s": 1 }));
    let client = scene.client(LISTED);
    let head = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {length}\r\n\r\n")
    };
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        connection.write_all(head("/", 6).as_bytes()).expect("it goes out");
        for octet in [b"1", b"2", b"3", b"4", b"5", b"6"] {
            std::thread::sleep(Duration::from_millis(500));
            connection.write_all(octet).expect("it goes out");
        }
        assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
        let mut connection = client.connect().expect("a handshake");
        connection.write_all(&[head("/silent", 2).as_bytes(), b"hi"].concat()).expect("out");
        assert_eq!(Answer::read(&mut connection).expect("an answer").status, 504);
    });
    assert_eq!(scene.count("upstream_timeout"), 1);
}

/// The same with an upstream that takes a long time to read.
#[test]
fn an_upstream_that_reads_slowly_is_not_silent() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.set_recv_buffer_size(16 << 10).expect("it is open");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(&any.into()).and_then(|()| listener.listen(1)).expect("a port");
        let listener = TcpListener::from(listener);
        let port = listener.local_addr().expect("bound").port();
        let upstream = format!("http://127.0.0.1:{port}");
        scene.set_proxy(json!({ "patience_s": 1, "upstreams": [upstream] }));
        let reader = std::thread::spawn(move || read_slowly(&listener));
        let head =
            format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {SLOW_BYTES}\r\n\r\n");
        let mut connection = scene.client(LISTED).connect().expect("a handshake");
        connection.write_all(&[head.as_bytes(), &[b's'; SLOW_BYTES]].concat()).expect("out");
        assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
        reader.join().expect("it reads all of it");
    });
}

/// More than sockets hold on the way.
const SLOW_BYTES: usize = 1 << 20;

/// Takes some two seconds for a request.
fn read_slowly(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().expect("a connection");
    let (mut piece, mut read) = (vec![0; 32 << 10], 0);
    while read < SLOW_BYTES {
        std::thread::sleep(Duration::from_millis(50));
        read += stream.read(&mut piece).expect("there is more");
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("it goes out");
}

/// What the upstream did not read ends with its answer, or the lack of one, on
/// both sides.
#[test]
fn a_body_that_the_upstream_leaves_unread_keeps_nothing_open() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set_proxy(json!({ "patience_s": 1 }));
    let client = scene.client(LISTED);
    let ask = |path: &str, bytes: usize| {
        let mut connection = client.connect().expect("a handshake");
        let length = "Content-Length: 99999999";
        let head = format!("POST {path} HTTP/1.1\r\nHost: {NAME}\r\n{length}\r\n\r\n");
        // As much as is taken off our hands.
        connection.sock.set_write_timeout(Some(Duration::from_millis(500))).expect("it is open");
        let _ = connection.write_all(&[head.as_bytes(), &vec![b'u'; bytes]].concat());
        connection
    };
    stage.run(|| {
        let mut answered = ask("/unread", 64 << 10);
        assert_eq!(Answer::read(&mut answered).expect("an answer").text(), "ok");
        wait_for("the upstream to be let go", || {
            scene.upstream.asked().iter().any(|asked| asked.head == "gone").then_some(())
        });
        assert!(is_closed(&mut answered));
        let mut unanswered = ask("/stuck", 16 << 20);
        assert_eq!(Answer::read(&mut unanswered).expect("an answer").status, 504);
        await_no_connection(&stage, &scene);
        drop(ask("/stuck", 16 << 20));
        await_no_connection(&stage, &scene);
    });
}

fn await_no_connection(stage: &Stage, scene: &Scene<'_>) {
    wait_for("the connection to the upstream to end", || {
        let to = format!("dport = :{}", scene.upstream.port);
        let mut ss = stage.namespace.command("ss");
        let out = ss.args(["-Htn", "state", "established", &to]).output();
        out.expect("iproute2 is there").stdout.is_empty().then_some(())
    });
}

/// Nobody is told that a connection was closed before it was used again.
#[test]
fn an_upstream_that_leaves_after_an_answer_fails_nobody() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        for _ in 0..50 {
            write!(connection, "GET /leave HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("out");
            assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
        }
        for _ in 0..5 {
            // What may not be sent twice is not sent to where nobody is.
            await_no_connection(&stage, &scene);
            write!(connection, "POST /leave HTTP/1.1\r\nHost: {NAME}\r\n").expect("out");
            write!(connection, "Content-Length: 2\r\n\r\nhi").expect("out");
            assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
        }
    });
    assert_eq!(scene.count("upstream_failed"), 0);
}

/// However its answer is made, a connection is there for the next request.
#[test]
fn a_whole_answer_leaves_its_connection_for_the_next() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        // Each of the proxy's threads has connections of its own.
        let mut connection = client.connect().expect("a handshake");
        for path in ["/", "/large", "/trailers"].repeat(5) {
            write!(connection, "GET {path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("out");
            let answer = Answer::read(&mut connection).expect("an answer");
            assert_eq!(answer.status, 200, "{path}");
            let mut chunks = Vec::new();
            while path == "/trailers" && !chunks.ends_with(b"0\r\n\r\n") {
                let mut octet = [0];
                connection.read_exact(&mut octet).expect("it goes on");
                chunks.push(octet[0]);
            }
        }
    });
    let peers: HashSet<_> = scene.upstream.asked().iter().map(|asked| asked.peer).collect();
    assert_eq!(peers.len(), 1, "{peers:?}");
}

/// A client of HTTP/1.0 knows the end of an answer by the end of TLS alone.
#[test]
fn an_answer_that_is_cut_does_not_end_in_order() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for (path, version) in
            [("/old-half-body", "1.0"), ("/old-half-body", "1.1"), ("/half-body", "1.0")]
        {
            let mut connection = client.connect().expect("a handshake");
            write!(connection, "GET {path} HTTP/{version}\r\nHost: {NAME}\r\n\r\n").expect("out");
            let error = connection.read_to_end(&mut Vec::new()).expect_err("it was cut");
            let is_cut =
                [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset].contains(&error.kind());
            assert!(is_cut, "{path} {version}: {error}");
        }
    });
}

/// One that takes no connection costs the first requests a part of the time
/// there is, and nobody an answer.
#[test]
fn an_upstream_that_never_answers_leaves_time_for_the_next() {
    let stage = Stage::new();
    stage.namespace.ip("address add 10.9.0.1/24 dev veth0");
    stage.namespace.ip("neighbour add 10.9.0.9 lladdr 02:00:00:00:00:09 dev veth0 nud permanent");
    let scene = stage.start();
    let client = scene.client(LISTED);
    let (nobody, live) =
        ("http://10.9.0.9:80", format!("http://127.0.0.1:{}", scene.upstream.port));
    stage.run(|| {
        scene.set_proxy(json!({ "upstreams": [nobody, live] }));
        for _ in 0..2 {
            assert_eq!(client.get("/close", "").expect("an answer").status, 502);
        }
        assert_eq!(scene.upstream.asked().len(), 2, "each request came to the one that lives");
        scene.set_proxy(json!({ "upstreams": [nobody] }));
        assert_eq!(client.get("/", "").expect("an answer").status, 502);
    });
    assert_eq!(scene.count("upstream_timeout"), 0);
}
