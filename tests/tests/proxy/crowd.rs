//! Thousands of clients that finish nothing, and one that wants to be served.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::client::Connection;
use crate::stage::{LISTED, NAME, Stage};

const SILENT: usize = 5_000;
const HALF: usize = 3_000;
const SLOW: usize = 2_000;

/// What all of them may cost.
const BOUND_BYTES: u64 = 400 << 20;

#[test]
fn ten_thousand_that_finish_nothing_are_in_nobodys_way() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("up to the hard limit");
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    let before = scene.daemon.resident_bytes().expect("it runs");
    stage.run(|| {
        let mut hello = Vec::new();
        client.session(NAME).write_tls(&mut hello).expect("a vector takes all");
        let tcp = || client.tcp().expect("the kernel accepts");
        let _silent: Vec<TcpStream> = (0..SILENT).map(|_| tcp()).collect();
        let _half: Vec<TcpStream> = (0..HALF)
            .map(|_| {
                let mut tcp = tcp();
                // The proxy may have had enough of it.
                let _ = tcp.write_all(&hello[..hello.len() / 2]);
                tcp
            })
            .collect();
        let _slow: Vec<Connection> = (0..SLOW)
            .map(|_| {
                let mut connection = client.connect().expect("a handshake");
                connection.write_all(b"GET / HTTP/1.1\r\nHo").expect("it goes out");
                connection
            })
            .collect();
        for _ in 0..10 {
            let asked = Instant::now();
            let answer = client.get("/", "").expect("an answer");
            assert_eq!(answer.status, 200);
            assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        }
        let grown = scene.daemon.resident_bytes().expect("it runs").saturating_sub(before);
        println!("{} KiB for 10,000 clients that finish nothing", grown >> 10);
        assert!(grown < BOUND_BYTES, "{} MiB", grown >> 20);
    });
    assert!(scene.count("crowded") > 0, "old ones made room");
}
