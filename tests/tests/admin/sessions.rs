//! Tokens: how long they live, what they survive, and who is locked out.

use filter_tests::daemon::Protocol;
use filter_tests::deadline::wait_for;
use filter_tests::world::{Family, LISTED, UNLISTED};
use hyper::Method;

use super::stage::{PROFILE, SESSION, Stage};

#[test]
fn an_expired_token_says_so_and_a_refresh_helps_until_the_session_is_over() {
    let stage = Stage::with(&["access_token_s = 1", "refresh_token_s = 6"]);
    let _daemon = stage.start();
    let key = stage.key(&[]);
    let admin = stage.admin(LISTED, Family::V4);
    let tokens = admin.log_in(&key.public, &key.private);
    let mut connection = admin.connect(Protocol::Http1).expect("connected");
    let expired = wait_for("the access token's end", || {
        let answer = connection.call(Some(&tokens.access), Method::GET, PROFILE, None);
        let answer = answer.expect("answered");
        (answer.status == 401).then_some(answer.body)
    });
    assert_eq!(expired["error_code"], "InvalidSession", "it makes clients refresh");
    let refreshed = connection.call(Some(&tokens.refresh), Method::POST, SESSION, None);
    let refreshed = refreshed.expect("answered");
    assert_eq!(refreshed.status, 201, "{}", refreshed.body);
    let refused = wait_for("the session's end", || {
        let answer = connection.call(Some(&tokens.refresh), Method::POST, SESSION, None);
        let answer = answer.expect("answered");
        (answer.status != 201).then_some(answer)
    });
    assert_eq!(
        (refused.status.as_u16(), &refused.body["error_code"]),
        (401, &"InvalidSession".into())
    );
}

#[test]
fn tokens_survive_a_kill() {
    let stage = Stage::new();
    let daemon = stage.start();
    let key = stage.key(&[]);
    let admin = stage.admin(LISTED, Family::V6);
    let tokens = admin.log_in(&key.public, &key.private);
    daemon.kill();
    let _daemon = stage.start();
    let mut connection = admin.connect(Protocol::Http2).expect("connected");
    assert_eq!(connection.status(&tokens.access, PROFILE), 200);
    let refreshed = connection.call(Some(&tokens.refresh), Method::POST, SESSION, None);
    assert_eq!(refreshed.expect("answered").status, 201);
}

#[test]
fn a_session_ends_when_it_is_logged_out() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let key = stage.key(&[]);
    let admin = stage.admin(LISTED, Family::V4);
    let (tokens, other) =
        (admin.log_in(&key.public, &key.private), admin.log_in(&key.public, &key.private));
    let mut connection = admin.connect(Protocol::Http1).expect("connected");
    let out = connection.call(Some(&tokens.refresh), Method::DELETE, SESSION, None);
    assert_eq!(out.expect("answered").status, 204);
    assert_eq!(connection.status(&tokens.access, PROFILE), 401);
    assert_eq!(connection.status(&other.access, PROFILE), 200, "another session goes on");
}

#[test]
fn who_guesses_is_locked_out_and_nobody_else() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let key = stage.key(&[]);
    let admin = stage.admin(UNLISTED, Family::V4);
    let locked = wait_for("the lock-out", || {
        let answer = admin.try_log_in("username", "apiKey").expect("answered");
        (answer.status != 401).then_some(answer)
    });
    assert_eq!(
        (locked.status.as_u16(), &locked.body["error_code"]),
        (429, &"LimitExceeded".into())
    );
    let wait: u64 = locked.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=31).contains(&wait), "{wait}");
    let right = admin.try_log_in(&key.public, &key.private).expect("answered");
    assert_eq!(right.status, 429, "also with the right key");
    stage.admin(LISTED, Family::V4).log_in(&key.public, &key.private);
    let log = stage.installation.log();
    assert!(log.contains("locked out") && !log.contains(&key.private), "{log}");
}

/// What of a refused request was not read yet is taken, and the connection goes on.
#[test]
fn a_refused_body_ends_no_connection() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let admin = stage.admin(LISTED, Family::V4);
    let large = serde_json::json!({ "username": "u".repeat(300_000) });
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut connection = admin.connect(protocol).expect("connected");
        for _ in 0..5 {
            let refused = connection.call(None, Method::PUT, PROFILE, Some(&large));
            let refused = refused.expect("answered");
            assert!(refused.status.is_client_error(), "{protocol:?}: {}", refused.body);
        }
    }
}
