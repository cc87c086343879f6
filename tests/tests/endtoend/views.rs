//! What the front ends show of what the filter did.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use filter_tests::daemon::root;
use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode, PORT};
use filter_tests::wire::Wire;
use filter_tests::world::{HOST, HOST_INTERFACE, LISTED, UNLISTED};
use serde_json::Value;

use super::stage::{Stage, gets_in};

#[test]
fn a_refusal_is_counted_and_shown() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app =
        control.create_app("all", &AppRules::new(&["port=443"]).listing(&[LISTED]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let mut drops = Command::new(root().join("usr/local/bin/filterctl"))
        .arg("--config")
        .arg(stage.installation.path("filterd.toml"))
        .args(["--json", "drops"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("filterctl is installed");
    let lines = BufReader::new(drops.stdout.take().expect("it is piped")).lines();
    // The stream shows what comes after it was opened, so refusals are made
    // until one is seen.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let line = wait_for("a refusal in the stream", || {
        assert!(!gets_in(&wire, UNLISTED.v4().into()));
        receiver.recv_timeout(std::time::Duration::from_millis(50)).ok()
    });
    drops.kill().expect("it is ours");
    drops.wait().expect("it is ours");
    let shown: Value = serde_json::from_str(&line).expect("a JSON document");
    for (key, value) in [
        ("interface", HOST_INTERFACE.to_owned()),
        ("app", app.client_app_id.clone()),
        ("reason", "not_listed".to_owned()),
        ("verdict", "drop".to_owned()),
        ("source", UNLISTED.v4().to_string()),
        ("destination", HOST.v4().to_string()),
    ] {
        assert_eq!(shown[key], value, "{key} of {shown}");
    }
    assert_eq!(shown["destination_port"], PORT, "{shown}");
    let count = |reason: &str| {
        let rows = control.get("/api/filter/v1/counters");
        let rows = rows.as_array().expect("a list").clone();
        let found = rows
            .iter()
            .find(|row| row["reason"] == reason && row["app"] == app.client_app_id.as_str());
        found.map_or(0, |row| row["packets"].as_u64().expect("a number"))
    };
    let before = (count("listed"), count("not_listed"));
    assert!(gets_in(&wire, LISTED.v4().into()) && !gets_in(&wire, UNLISTED.v6().into()));
    assert_eq!((count("listed"), count("not_listed")), (before.0 + 1, before.1 + 1));
}
