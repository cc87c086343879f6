//! API keys: from where they can be used, and how they are taken away.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;

use filter_tests::daemon::{Answer, Connection, Protocol};
use filter_tests::world::{Family, HOST, LISTED, UNLISTED};
use hyper::Method;
use serde_json::json;

use super::stage::{PROFILE, Stage};

#[test]
fn a_key_works_from_where_its_list_says_and_from_nowhere_else() {
    let stage = Stage::new();
    let _daemon = stage.start();
    for family in Family::BOTH {
        let key = stage.key(&[LISTED.address(family).to_string()]);
        let tokens = stage.admin(LISTED, family).log_in(&key.public, &key.private);
        let here =
            stage.admin(LISTED, family).call(Some(&tokens.access), Method::GET, PROFILE, None);
        assert_eq!(here.expect("answered").status, 200);
        for (elsewhere, address) in [
            (stage.admin(UNLISTED, family), UNLISTED.address(family)),
            (stage.admin_at_home(family), HOST.address(family)),
        ] {
            let login = elsewhere.try_log_in(&key.public, &key.private).expect("answered");
            let call = elsewhere.call(Some(&tokens.access), Method::GET, PROFILE, None);
            for refused in [login, call.expect("answered")] {
                assert_refused(&refused, address);
            }
        }
    }
}

fn assert_refused(answer: &Answer, address: IpAddr) {
    let code = &answer.body["error_code"];
    assert_eq!((answer.status.as_u16(), code), (403, &json!("IP_ADDRESS_NOT_ON_ACCESS_LIST")));
    let text = answer.body["error"].as_str().expect("text");
    let sentence = format!("IP address {address} is not allowed to access this resource.");
    assert!(text.contains(&sentence), "{text}");
}

/// On connections that are open already, of both versions of HTTP.
#[test]
fn what_is_revoked_is_refused_at_the_next_request() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let (first, second) = (LISTED.v4().to_string(), LISTED.v6().to_string());
    let key = stage.key(&[first.clone(), second.clone()]);
    let open = |family, protocol| {
        let admin = stage.admin(LISTED, family);
        let tokens = admin.log_in(&key.public, &key.private);
        let mut connection = admin.connect(protocol).expect("connected");
        assert_eq!(connection.status(&tokens.access, PROFILE), 200);
        (connection, tokens.access)
    };
    let mut v4: Vec<(Connection, String)> =
        vec![open(Family::V4, Protocol::Http1), open(Family::V4, Protocol::Http2)];
    let mut v6: Vec<(Connection, String)> =
        vec![open(Family::V6, Protocol::Http1), open(Family::V6, Protocol::Http2)];
    stage.filterctl(&["key", "accesslist", "delete", &key.public, "--ip", &first]);
    for (connection, access) in &mut v4 {
        assert_eq!(connection.status(access, PROFILE), 403, "its entry is gone");
    }
    for (connection, access) in &mut v6 {
        assert_eq!(connection.status(access, PROFILE), 200, "the other entry is there");
    }
    stage.filterctl(&["key", "disable", &key.public]);
    for (connection, access) in &mut v6 {
        assert_eq!(connection.status(access, PROFILE), 401, "the key is switched off");
    }
    stage.filterctl(&["key", "enable", &key.public]);
    let (mut connection, access) = open(Family::V6, Protocol::Http2);
    stage.filterctl(&["key", "delete", &key.id, "--yes"]);
    assert_eq!(connection.status(&access, PROFILE), 401, "the key is deleted");
}

#[test]
fn the_command_line_shows_keys_and_what_they_were_used_for() {
    let stage = Stage::new();
    let daemon = stage.start();
    let key = stage.key(&[]);
    let admin = stage.admin(LISTED, Family::V4);
    let address = LISTED.v4().to_string();
    let entry = ["key", "accesslist", "create", &key.public, "--ip", &address, "--comment", "us"];
    stage.filterctl(&entry);
    admin.log_in(&key.public, &key.private);
    let shown = |stage: &Stage| {
        let keys = stage.filterctl(&["key", "list"]);
        let keys = keys.as_array().expect("a list").clone();
        keys.into_iter().find(|shown| shown["_id"] == key.id.as_str()).expect("it is listed")
    };
    let before = shown(&stage);
    assert_eq!((&before["count"], &before["last_used_address"]), (&json!(1), &json!(address)));
    assert_eq!(before["access_list"][0]["count"], 1);
    assert_eq!(before["access_list"][0]["comment"], "us");
    assert!(!before.to_string().contains(&key.private), "it was told once");
    // What was used is saved when the daemon is stopped.
    assert!(daemon.stop().success());
    let _daemon = stage.start();
    assert_eq!(shown(&stage), before);
    let last = ["key", "accesslist", "delete", &key.public, "--ip", &address];
    let refused = stage.try_filterctl(&last);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("--yes"), "it would open the key: {text}");
    let unknown = stage.try_filterctl(&["key", "disable", "nosuchky"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nosuchky"));
}

#[test]
fn the_first_key_is_in_a_file_of_its_own_and_in_no_log() {
    let stage = Stage::new();
    let daemon = stage.start();
    let path = stage.installation.path("state/first-key");
    let mode = std::fs::metadata(&path).expect("it is made").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let text = std::fs::read_to_string(&path).expect("text");
    let half = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
        line.and_then(|rest| rest.strip_suffix('"')).expect(name).to_owned()
    };
    let (public, private) = (half("public_key"), half("private_key"));
    let log = stage.installation.log();
    assert!(log.contains("first-key") && !log.contains(&private), "{log}");
    stage.admin(LISTED, Family::V4).log_in(&public, &private);
    drop(daemon);
    let _daemon = stage.start();
    assert_eq!(std::fs::read_to_string(&path).expect("text"), text, "made once");
    assert_eq!(stage.filterctl(&["key", "list"]).as_array().map(Vec::len), Some(1));
}
