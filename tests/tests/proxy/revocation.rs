//! What is taken away holds for open connections too, within a second.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use filter_tests::deadline::wait_for;
use serde_json::json;

use crate::client::{Answer, Client, Connection, is_closed};
use crate::http2::session::Session;
use crate::stage::{LISTED, NAME, Scene, Stage, closed};

/// From the answer to a change to the end of what it forbids.
const AT_ONCE: Duration = Duration::from_secs(1);

fn websocket(client: &Client, fields: &str) -> Connection {
    let mut connection = client.connect().expect("a handshake");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    write!(connection, "GET /ws HTTP/1.1\r\nHost: {NAME}\r\n{upgrade}{fields}\r\n")
        .expect("it goes out");
    let answer = Answer::read(&mut connection).expect("an answer");
    assert_eq!(answer.status, 101);
    assert!(answer.head.contains("upgrade: websocket"), "{}", answer.head);
    assert_echo(&mut connection);
    connection
}

fn assert_echo(connection: &mut Connection) {
    connection.write_all(b"\x81\x04ping").expect("it goes out");
    let mut echo = [0; 6];
    connection.read_exact(&mut echo).expect("an echo");
    assert_eq!(&echo, b"\x81\x04ping");
}

fn assert_ends(connection: &mut Connection, since: Instant) {
    assert!(is_closed(connection));
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
}

/// The connection of a change ends, one that it does not touch goes on.
fn ends_by(scene: &Scene<'_>, fields: &str, change: impl FnOnce() -> u64, reason: &str) {
    let mut connection = websocket(&scene.client(LISTED), fields);
    let closed = change();
    let changed = Instant::now();
    assert_ends(&mut connection, changed);
    assert_eq!(closed, 1, "{reason}");
    assert_eq!(scene.count(reason), 1, "{reason}");
}

#[test]
fn an_entry_that_goes_ends_its_websocket() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        ends_by(&scene, "", || scene.unlist(), "revoked_entry");
        assert!(scene.client(LISTED).connect().is_err());
    });
}

#[test]
fn an_entry_that_ends_by_itself_ends_its_websocket() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let mut connection = websocket(&scene.client(LISTED), "");
        let entries = scene.control().get(&scene.app.list);
        let id = entries["allowed_ips"][0]["_id"].as_str().expect("an entry").to_owned();
        let path = format!("{}/access_list/{id}", scene.app.ours);
        let soon = jiff::Timestamp::now() + Duration::from_secs(2);
        let end = json!({ "expires": soon.to_string() });
        scene.control().must(hyper::Method::PATCH, &path, Some(&end));
        assert!(is_closed(&mut connection));
        assert_eq!(scene.count("revoked_entry"), 1);
    });
}

#[test]
fn an_origin_that_goes_ends_its_requests() {
    let stage = Stage::new();
    let scene = stage.start();
    let origins = |origins: &[&str]| json!({ "origins": origins });
    stage.run(|| {
        scene.set(&origins(&["https://a.example.com", "https://b.example.com"]));
        let mut other = websocket(&scene.client(LISTED), "Origin: https://b.example.com\r\n");
        let change = || closed(&scene.set(&origins(&["https://b.example.com"])));
        ends_by(&scene, "Origin: https://a.example.com\r\n", change, "revoked_origin");
        assert_echo(&mut other);
    });
}

#[test]
fn a_name_that_goes_ends_its_connections() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let mut other = scene.client(LISTED).connect_to("eu.services.example.com").expect("ours");
        let change = || closed(&scene.set_proxy(json!({ "names": ["*.services.example.com"] })));
        ends_by(&scene, "", change, "revoked_name");
        write!(other, "GET / HTTP/1.1\r\nHost: eu.services.example.com\r\n\r\n").expect("open");
        assert_eq!(Answer::read(&mut other).expect("an answer").status, 200);
    });
}

#[test]
fn a_hop_that_goes_ends_the_connections_it_brought() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "trusted_hops": ["127.0.0.30/32"] }));
    let hop = scene.client(Ipv4Addr::new(127, 0, 0, 30));
    stage.run(|| {
        let mut tcp = hop.tcp().expect("a connection");
        write!(tcp, "PROXY TCP4 {LISTED} 127.0.0.1 4321 443\r\n").expect("it goes out");
        let mut connection = hop.finish(tcp, NAME).expect("a handshake");
        assert_eq!(closed(&scene.set(&json!({ "trusted_hops": [] }))), 1);
        assert_ends(&mut connection, Instant::now());
    });
}

#[test]
fn a_change_that_takes_nothing_away_closes_nothing() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let mut connection = websocket(&scene.client(LISTED), "");
        assert_eq!(closed(&scene.set(&json!({ "mode": "enforce" }))), 0, "it is so already");
        let entry = json!({ "address": "192.0.2.0/24" });
        let added = scene.control().must(hyper::Method::POST, &scene.app.list, Some(&entry));
        assert_eq!(closed(&added), 0);
        assert_eq!(closed(&scene.set_proxy(json!({ "patience_s": 7 }))), 0);
        assert_echo(&mut connection);
    });
}

/// Not one octet is answered to a handshake that began before.
#[test]
fn an_entry_that_goes_ends_handshakes() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let mut begun = scene.client(LISTED).tcp().expect("a connection");
        wait_for("the connection to be accepted", || {
            let out =
                stage.namespace.command("ss").args(["-Htn", "src", "127.0.0.1:8443"]).output();
            (!out.expect("iproute2 is there").stdout.is_empty()).then_some(())
        });
        assert_eq!(scene.unlist(), 1);
        assert_eq!(begun.read(&mut [0]).expect("an end in order"), 0);
        assert_eq!(scene.count("revoked_entry"), 1);
    });
}

/// What was let through without an allowed origin is held to later rules.
#[test]
fn origins_that_become_rules_end_what_has_none() {
    let stage = Stage::new();
    let scene = stage.start();
    let origins = json!({ "origins": ["https://a.example.com"], "mode": "observe" });
    stage.run(|| {
        scene.set(&origins);
        let change = || closed(&scene.set(&json!({ "mode": "enforce" })));
        ends_by(&scene, "Origin: https://b.example.com\r\n", change, "revoked_origin");
        let mut without = websocket(&scene.client(LISTED), "");
        assert_eq!(closed(&scene.set(&json!({ "require_origin": true }))), 1);
        assert_ends(&mut without, Instant::now());
        assert_eq!(scene.count("revoked_origin"), 2);
    });
}

/// What a hop brings of one client ends, and nothing of another.
#[test]
fn a_client_of_a_hop_takes_nobody_with_it() {
    let stage = Stage::new();
    let scene = stage.start();
    let other = Ipv4Addr::new(127, 0, 0, 40);
    let path = format!("{}/access_list", scene.app.ours);
    scene.control().must(
        hyper::Method::POST,
        &path,
        Some(&json!({ "address": other.to_string() })),
    );
    scene.set(&json!({ "trusted_hops": ["127.0.0.30/32"] }));
    scene.set_proxy(json!({ "hop_header": "x-forwarded-for" }));
    let hop = scene.client(Ipv4Addr::new(127, 0, 0, 30));
    stage.run(|| {
        let (first, second) = (LISTED.to_string(), other.to_string());
        let mut connection = Session::begin(&hop);
        connection.ask(1, "/silent", &[("x-forwarded-for", &first)]);
        connection.ask(3, "/silent", &[("x-forwarded-for", &second)]);
        wait_for("both to be asked", || (scene.upstream.asked().len() == 2).then_some(()));
        assert_eq!(scene.unlist(), 1);
        assert_eq!(connection.reset(), 1, "the stream of the one who is gone");
        connection.ask(5, "/", &[("x-forwarded-for", &second)]);
        assert_eq!(connection.status(), (5, 200));
        assert_eq!(scene.count("revoked_entry"), 1);
    });
}
