//! PEM files of authorities, and of what upstreams are shown: replaced, broken
//! and missing while the daemon runs.

use std::io::Write;

use filter_tests::deadline::wait_for;
use serde_json::json;

use crate::certificates::{Authority, authority, file, issue, issue_for};
use crate::client::{Answer, Client, Connection, is_closed};
use crate::stage::{LISTED, NAME, PORT, PROXY, Scene, Stage};
use crate::tls_upstream::TlsUpstream;

/// What the log has where a file is no good any more.
const STAYS: &str = "stays in force until this is mended";

fn member(scene: &Scene<'_>, authority: &Authority) -> Client {
    let (certificate, key) = issue(authority);
    scene.client(LISTED).showing(&certificate, &key)
}

fn is_served(client: &Client) -> bool {
    client.get("/", "").is_ok_and(|answer| answer.status == 200)
}

fn assert_open(connection: &mut Connection) {
    write!(connection, "GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("it goes out");
    assert_eq!(Answer::read(connection).expect("an answer").status, 200);
}

/// Writes both halves of what upstreams are shown.
fn show(scene: &Scene<'_>, authority: &Authority) {
    let (certificate, key) = issue(authority);
    file(scene, "shown.pem", &certificate);
    file(scene, "shown.key", &key);
}

#[test]
fn clients_of_a_new_authority_take_the_place_of_the_old_ones() {
    let stage = Stage::new();
    let scene = stage.start();
    let (old, new) = (authority(), authority());
    let path = file(&scene, "clients.pem", &old.pem());
    scene.set_proxy(json!({ "client_ca": path }));
    let (of_old, of_new) = (member(&scene, &old), member(&scene, &new));
    stage.run(|| {
        let mut open = of_old.connect().expect("a handshake");
        assert_open(&mut open);
        assert!(!is_served(&of_new));
        file(&scene, "clients.pem", "-----BEGIN CERTIFICATE-----\nnone\n");
        wait_for("the warning", || stage.installation.log().contains(STAYS).then_some(()));
        assert!(is_served(&of_old) && !is_served(&of_new));
        assert_open(&mut open);
        file(&scene, "clients.pem", &new.pem());
        assert!(is_closed(&mut open));
        assert!(is_served(&of_new) && !is_served(&of_old));
        wait_for("its reason", || (scene.count("revoked_certificate") == 1).then_some(()));
    });
    assert_eq!(stage.installation.log().matches(STAYS).count(), 1, "told once");
}

#[test]
fn an_app_is_served_from_when_its_file_is_there() {
    let stage = Stage::new();
    let scene = stage.start();
    let clients = authority();
    let missing = json!({ "client_ca": stage.installation.path("clients.pem") });
    scene.set_proxy_in_vain(missing, "clients.pem: cannot be read");
    let client = member(&scene, &clients);
    stage.run(|| {
        assert!(!is_served(&client));
        assert!(stage.installation.log().contains("clients.pem: cannot be read"));
        file(&scene, "clients.pem", &clients.pem());
        wait_for("the app", || is_served(&client).then_some(()));
        assert_eq!(scene.control().status()["proxy"]["troubles"], json!([]));
    });
}

#[test]
fn upstreams_are_believed_and_shown_what_the_files_have_now() {
    let stage = Stage::new();
    let scene = stage.start();
    let (old, new) = (authority(), authority());
    let upstream = stage.run(|| TlsUpstream::start("old", &old));
    let path = |name| stage.installation.path(name);
    let settings = json!({
        "upstreams": [format!("https://127.0.0.1:{}", upstream.port)],
        "upstream_ca": file(&scene, "upstream.pem", &old.pem()),
        "upstream_certificate": path("shown.pem"),
        "upstream_key": path("shown.key"),
    });
    scene.set_proxy_in_vain(settings, "shown.pem");
    let client = scene.client(LISTED);
    let answers = |text: &str| client.get("/", "").is_ok_and(|answer| answer.text() == text);
    stage.run(|| {
        assert_eq!(client.get("/", "").expect("an answer").status, 503);
        show(&scene, &old);
        wait_for("the pair", || answers("old").then_some(()));
        file(&scene, "upstream.pem", "");
        wait_for("the warning", || stage.installation.log().contains(STAYS).then_some(()));
        assert!(answers("old"));
        upstream.become_another("new", &new);
        file(&scene, "upstream.pem", &new.pem());
        show(&scene, &new);
        wait_for("the new pair and authority", || answers("new").then_some(()));
        // As many as there are threads that could have kept a connection.
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        assert!((0..threads).all(|_| answers("new")), "the connections of before are not used");
    });
}

/// Nobody can be served where somebody else listens, and everything else goes on.
#[test]
fn an_address_that_is_taken_is_listened_on_when_it_is_free() {
    let stage = Stage::new();
    let taken = stage.run(|| std::net::TcpListener::bind((PROXY, PORT)).expect("it is free"));
    let scene = stage.start();
    let place = || scene.control().status()["proxy"]["listen"][0].clone();
    assert_eq!(place()["state"], "waiting");
    assert!(place()["detail"].as_str().is_some_and(|why| why.contains("in use")), "{}", place());
    drop(taken);
    wait_for("the proxy to listen", || (place()["state"] == "listening").then_some(()));
    stage.run(|| assert!(scene.client(LISTED).get("/", "").is_ok()));
}

#[test]
fn certificates_that_are_not_there_are_told() {
    let stage = Stage::new();
    let scene = stage.start();
    let path = |name| stage.installation.path(name);
    let pair = json!({ "certificate": path("no.pem"), "key": path("no.key") });
    scene.set_proxy_in_vain(pair, "no.pem");
    scene.set_proxy_in_vain(json!({ "outbound": "nobody" }), "has the label");
    // One that clients do not take is told, and one that is no good any more; both
    // keep nobody out.
    let authority = authority();
    let replace = |(certificate, key): (String, String)| {
        let key = file(&scene, "pair.key", &key);
        json!({ "certificate": file(&scene, "pair.pem", &certificate), "key": key })
    };
    let troubles = || scene.control().status()["proxy"]["troubles"].to_string();
    let told = |trouble: &str| {
        wait_for(trouble, || troubles().contains(trouble).then_some(()));
    };
    scene.set_proxy(replace(issue_for(&authority, "other.example.com")));
    told("pair.pem is not for app.example.com");
    replace(issue(&authority));
    wait_for("no trouble", || (troubles() == "[]").then_some(()));
    file(&scene, "pair.pem", "none");
    told("pair.pem: ");
    scene.set(&json!({ "mode": "observe" }));
}
