//! HTTP/2 (RFC 9113), frame by frame: what it asks of a server, and that what
//! is malformed reaches no upstream. The cases are named after the section that
//! has the rule.

#[path = "http2/case.rs"]
mod case;
#[path = "http2/compression.rs"]
mod compression;
#[path = "http2/definitions.rs"]
mod definitions;
#[path = "http2/exchanges.rs"]
mod exchanges;
#[path = "http2/frames.rs"]
mod frames;
#[path = "http2/framing.rs"]
mod framing;
#[path = "http2/messages.rs"]
mod messages;
#[path = "http2/patience.rs"]
mod patience;
#[path = "http2/session.rs"]
pub(crate) mod session;
#[path = "http2/status.rs"]
mod status;
#[path = "http2/streams.rs"]
mod streams;

use crate::client::Client;
use crate::stage::{LISTED, Stage};
use case::Case;

/// Plays cases to their end, and tells of every one that was not met.
fn play(client: &Client, cases: &[Case]) {
    let faults: Vec<String> = cases.iter().filter_map(|case| case.play(client).err()).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn every_rule_is_kept() {
    let tables = [
        exchanges::cases(),
        framing::cases(),
        streams::cases(),
        definitions::cases(),
        compression::cases(),
        messages::broken_later(),
    ];
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    let cases: Vec<Case> = tables.into_iter().flatten().collect();
    stage.run(|| play(&client, &cases));
    let log = stage.installation.log();
    assert!(!log.contains(" WARN "), "no client calls for a person:\n{log}");
}

#[test]
fn a_malformed_request_reaches_no_upstream() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| play(&client, &messages::malformed()));
    assert!(scene.upstream.asked().is_empty(), "{:?}", scene.upstream.asked());
}

/// The cookies of a browser come in pieces, and go on as one field (RFC 9113,
/// section 8.2.3).
#[test]
fn cookies_are_joined() {
    let stage = Stage::new();
    let scene = stage.start();
    stage.run(|| {
        let mut session = session::Session::begin(&scene.client(LISTED));
        session.ask(1, "/", &[("cookie", "a=1"), ("cookie", "b=2"), ("x-other", "x")]);
        assert_eq!(session.status(), (1, 200));
    });
    let head = &scene.upstream.asked()[0].head;
    let cookies = head.lines().filter(|line| line.starts_with("cookie:"));
    assert_eq!(cookies.collect::<Vec<_>>(), ["cookie: a=1; b=2"], "{head}");
}

/// As of HTTP/1.1; and the answer comes when the body was read.
#[test]
fn a_head_of_many_fields_is_refused() {
    let stage = Stage::new();
    let scene = stage.start();
    let many = vec![("x-many", "1"); 101];
    stage.run(|| {
        let mut session = session::Session::begin(&scene.client(LISTED));
        session.ask(1, "/", &many[..100]);
        assert_eq!(session.status(), (1, 200));
        session.ask(3, "/", &many);
        assert_eq!(session.status(), (3, 431));
    });
    assert_eq!(scene.count("head_too_large"), 1);
    assert_eq!(scene.upstream.asked().len(), 1);
}
