//! Too much, too long, too slow, too many.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use filter_tests::daemon::Daemon;
use filter_tests::deadline::{PATIENCE, wait_for};
use filter_tests::scenario::{AppRules, Mode};
use hyper::Method;

use super::client::{End, connect, end_of, pour, stage};

const GIGABYTE: usize = 1 << 30;

/// How much more memory the daemon may hold after an attack. Nothing that is
/// refused may be kept.
const GROWTH_BYTES: u64 = 48 << 20;

/// What was taken for a moment is given back, places to be served included.
fn bounded(daemon: &Daemon<'_>, before: u64, what: &str) {
    wait_for(&format!("the memory of {what}"), || {
        let after = daemon.resident_bytes().expect("it runs");
        (after.saturating_sub(before) < GROWTH_BYTES).then_some(())
    });
    let status = wait_for(&format!("a place to be free after {what}"), || {
        let answer = daemon.control().call(Method::GET, "/api/filter/v1/status", None).ok()?;
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(status.status, 200, "after {what}: {}", status.body);
    assert_eq!(status.body["phase"], "idle", "after {what}");
}

#[test]
fn a_gigabyte_of_one_line() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let before = daemon.resident_bytes().expect("it runs");
    for (what, start) in [
        ("a line", &b""[..]),
        ("a path", b"GET /"),
        ("a header's name", b"GET / HTTP/1.1\r\n"),
        ("a header's value", b"GET / HTTP/1.1\r\nx: "),
    ] {
        let mut stream = connect(&installation.socket());
        stream.write_all(start).expect("it listens");
        let taken = pour(&mut stream, &[b'A'; 1 << 16], GIGABYTE);
        println!("{taken} bytes of {what} were taken");
        assert!(taken < 4 << 20, "{taken} bytes of {what} were taken");
        bounded(&daemon, before, what);
    }
}

#[test]
fn a_gigabyte_of_headers() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let before = daemon.resident_bytes().expect("it runs");
    let mut stream = connect(&installation.socket());
    stream.write_all(b"GET / HTTP/1.1\r\n").expect("it listens");
    let taken = pour(&mut stream, &b"x: y\r\n".repeat(1000), GIGABYTE);
    assert!(taken < 4 << 20, "{taken} bytes of headers were taken");
    bounded(&daemon, before, "headers");
}

#[test]
fn a_gigabyte_of_body() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let control = daemon.control();
    let app = control.create_app("app", &AppRules::new(&["host"]), Mode::Enforce);
    let before = daemon.resident_bytes().expect("it runs");
    let chunk = [b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat();
    for (path, limit) in
        [(&app.list, 1 << 20), (&format!("{}/access_list/import", app.ours), 128 << 20)]
    {
        // Without a length, and with one that is far too large.
        let mut stream = connect(&installation.socket());
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it listens");
        let taken = pour(&mut stream, &chunk, GIGABYTE);
        assert!(taken < limit + (8 << 20), "{taken} bytes of a body were taken by {path}");
        let mut stream = connect(&installation.socket());
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {GIGABYTE}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it listens");
        assert!(matches!(end_of(&mut stream), End::Status(413)), "{path}");
    }
    bounded(&daemon, before, "bodies");
}

#[test]
fn a_body_just_too_large_is_refused_in_json() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let app = daemon.control().create_app("app", &AppRules::new(&["host"]), Mode::Enforce);
    for (bytes, status) in [(1 << 20, 400), ((1 << 20) + 1, 413)] {
        let mut stream = connect(&installation.socket());
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n",
            app.list
        );
        stream.write_all(head.as_bytes()).expect("it listens");
        // A daemon that has heard enough hangs up while we still write.
        let _ = stream.write_all(&vec![b' '; bytes]);
        let mut answer = Vec::new();
        // What it said before it hung up can still be read.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes} bytes: {answer}");
        assert!(answer.contains("{\"error\":"), "{bytes} bytes: {answer}");
    }
}

#[test]
fn one_byte_at_a_time() {
    let (namespace, installation) = stage(|_| {});
    let _daemon = installation.start(&namespace);
    let mut stream = connect(&installation.socket());
    for byte in b"GET /api/filter/v1/status HTTP/1.1\r\nhost: filterd\r\nconnection: close\r\n\r\n"
    {
        stream.write_all(&[*byte]).expect("it listens");
    }
    assert!(matches!(end_of(&mut stream), End::Status(200)));
}

/// A head that never ends is cut off, however steadily it drips.
#[test]
fn a_head_that_drips_for_ever() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let mut stream = connect(&installation.socket());
    stream.write_all(b"GET / HTTP/1.1\r\nx: ").expect("it listens");
    let start = Instant::now();
    // The pause is the input of the test, not a synchronisation.
    while stream.write_all(b"y").is_ok() {
        assert!(start.elapsed() < PATIENCE, "the head may drip for ever");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(daemon.control().status()["phase"], "idle");
}

/// Clients that hold every place and say nothing keep the administrator out
/// only until their time is over.
#[test]
fn many_half_open_connections() {
    let (namespace, installation) = stage(|configuration| {
        configuration.control_connections = Some(8);
    });
    let mut daemon = installation.start(&namespace);
    let before = daemon.resident_bytes().expect("it runs");
    let halves: [&[u8]; 4] = [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\nx"];
    let mut held = Vec::new();
    for number in 0..1000 {
        let mut stream = connect(&installation.socket());
        // Who is turned away may have been cut off already.
        let _ = stream.write_all(halves[number % halves.len()]);
        held.push(stream);
    }
    // The last one came when every place was taken.
    let mut last = held.pop().expect("a thousand are held");
    assert!(matches!(end_of(&mut last), End::Status(503) | End::Closed));
    assert!(daemon.is_running());
    bounded(&daemon, before, "a thousand half-open connections");
    drop(held);
}

/// A client that asks for much and reads nothing does not hold the daemon up.
#[test]
fn a_client_that_never_reads() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let before = daemon.resident_bytes().expect("it runs");
    let mut stream = connect(&installation.socket());
    let request = b"GET /api/filter/v1/status HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    stream.set_write_timeout(Some(Duration::from_secs(2))).expect("an option");
    let mut sent = 0;
    while sent < 64 << 20 {
        match stream.write(&request) {
            Ok(length) => sent += length,
            Err(_) => break,
        }
    }
    assert!(sent < 64 << 20, "requests are taken without end while no answer is read");
    bounded(&daemon, before, "a client that never reads");
}
