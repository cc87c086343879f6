//! What the scanners of others find: TLS 1.3 alone, and nothing to mend.

use std::process::Command;

use serde_json::Value;

use crate::stage::{NAME, PORT, PROXY, Stage};

/// The scanners have no address of their own to come from.
fn open(stage: &Stage) -> crate::stage::Scene<'_> {
    let scene = stage.start();
    let entry = serde_json::json!({ "address": "127.0.0.0/8" });
    scene.control().must(hyper::Method::POST, &scene.app.list, Some(&entry));
    scene
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("it is installed (cargo xtask setup)");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn sslscan_finds_tls_1_3_alone() {
    let stage = Stage::new();
    let _scene = open(&stage);
    let mut command = stage.namespace.command("sslscan");
    command.args(["--no-colour", &format!("--sni-name={NAME}"), &format!("{PROXY}:{PORT}")]);
    let found = output(command);
    for (protocol, state) in [
        ("SSLv2", "disabled"),
        ("SSLv3", "disabled"),
        ("TLSv1.0", "disabled"),
        ("TLSv1.1", "disabled"),
        ("TLSv1.2", "disabled"),
        ("TLSv1.3", "enabled"),
    ] {
        let line = found.lines().find(|line| line.starts_with(protocol));
        assert!(line.is_some_and(|line| line.ends_with(state)), "{protocol}:\n{found}");
    }
}

#[test]
fn testssl_finds_nothing_of_medium_or_worse() {
    let stage = Stage::new();
    let scene = open(&stage);
    let report = stage.installation.path("testssl.json");
    let trusted = stage.installation.path("state/ca.pem");
    let mut command = stage.namespace.command("testssl");
    command.args(["--quiet", "--color", "0", "--warnings", "off", "--ip", &PROXY.to_string()]);
    command.arg("--add-ca").arg(&trusted).arg("--jsonfile").arg(&report);
    command.args(["-p", "-s", "-f", "-S", "-U", &format!("{NAME}:{PORT}")]);
    let said = output(command);
    let text = std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {said}"));
    let found: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let offers = |id: &str| found.iter().find(|f| f["id"] == id).map(|f| f["finding"].clone());
    assert!(offers("TLS1_3").is_some_and(|f| f.as_str().is_some_and(|f| f.starts_with("offered"))));
    // An authority of one's own has no place to publish what it took back, and
    // no log of what it issued.
    let of_own_authority = ["cert_chain_of_trust", "cert_revocation", "DNS_CAArecord"];
    let bad: Vec<_> = found
        .iter()
        .filter(|f| {
            ["MEDIUM", "HIGH", "CRITICAL"].iter().any(|severity| f["severity"] == *severity)
        })
        .filter(|f| !of_own_authority.iter().any(|id| f["id"] == *id))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    drop(scene);
}
