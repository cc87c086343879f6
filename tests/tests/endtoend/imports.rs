//! Files into lists and lists into files, by the command line.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{LISTED, UNLISTED};
use serde_json::Value;

use super::stage::{Stage, place_gets_in};

/// A cloud's feed: the addresses of both places, each of one service.
fn cloud() -> String {
    let row = |key: &str, address: &str, service: &str| {
        format!(r#"{{"{key}":"{address}","region":"here","service":"{service}"}}"#)
    };
    let v4 = [
        row("ip_prefix", &format!("{}/32", LISTED.v4()), "S3"),
        row("ip_prefix", &format!("{}/32", UNLISTED.v4()), "EC2"),
    ];
    let v6 = [
        row("ipv6_prefix", &format!("{}/128", LISTED.v6()), "S3"),
        row("ipv6_prefix", &format!("{}/128", UNLISTED.v6()), "EC2"),
    ];
    format!(
        r#"{{"createDate":"x","prefixes":[{}],"ipv6_prefixes":[{}]}}"#,
        v4.join(","),
        v6.join(",")
    )
}

impl Stage {
    fn import(&self, file: &str, flags: &[&str]) -> Output {
        let command = [&["accesslist", "import", "--app", "all", file], flags].concat();
        self.installation.filterctl(&self.world.host, &command)
    }

    fn print(&self, command: &[&str]) -> String {
        let output = self.installation.filterctl(&self.world.host, command);
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }
}

#[track_caller]
fn assert_done(output: &Output, word: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains(word), "no {word:?} in {output:?}");
}

#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(words.iter().all(|word| text.contains(word)), "not all of {words:?} in {text}");
}

#[test]
fn a_feed_is_tried_filtered_and_imported() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("all", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let feed = stage.file("feed", &cloud());
    let plan = stage.import(&feed, &["--service", "s3", "--dry-run", "--json"]);
    assert!(plan.status.success(), "{plan:?}");
    let plan: Value = serde_json::from_slice(&plan.stdout).expect("JSON");
    assert_eq!((&plan["added"], &plan["left_out"]), (&2.into(), &2.into()), "{plan}");
    assert_eq!(plan["added_addresses"][0], format!("{}/32", LISTED.v4()));
    assert!(!place_gets_in(&wire, LISTED), "a dry run changes nothing");
    let text = stage.import(&feed, &["--service", "s3", "--dry-run"]);
    assert_done(&text, &format!("\n+ {}/128\n", LISTED.v6()));
    assert_done(&stage.import(&feed, &["--service", "s3"]), "2 added, 0 removed, 0 unchanged");
    assert!(place_gets_in(&wire, LISTED) && !place_gets_in(&wire, UNLISTED));
    assert_refused(&stage.import(&feed, &["--service", "s4"]), &["\"s4\"", "EC2, S3"]);
    assert_refused(&stage.import(&feed, &["--format", "gcp"]), &["ipv4Prefix", ":1:"]);
    // The whole list goes through standard input too.
    let mut command =
        stage.world.host.command(filter_tests::daemon::root().join("usr/local/bin/filterctl"));
    command.arg("--config").arg(stage.installation.path("filterd.toml"));
    command.args(["accesslist", "import", "--app", "all", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("filterctl is installed");
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(cloud().as_bytes()).expect("filterctl reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_done(&output, "2 added, 0 removed, 2 unchanged");
    assert!(place_gets_in(&wire, UNLISTED));
}

#[test]
fn what_looks_like_a_mistake_needs_force() {
    let stage = Stage::new();
    let daemon = stage.start();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    daemon.control().create_app("all", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let rows = format!("{}\n{}\n", UNLISTED.v4(), UNLISTED.v6());
    let tor = stage.file("torbulkexitlist", &rows);
    assert_refused(&stage.import(&tor, &[]), &["Tor", "--force"]);
    // Everything that is listed would go.
    let list = stage.file("list", &rows);
    let guarded = stage.import(&list, &["--replace", "--shrink-guard", "99"]);
    assert_refused(&guarded, &["--force", "--shrink-guard"]);
    let tried = stage.import(&list, &["--replace", "--dry-run"]);
    assert_done(&tried, &format!("\n- {}\n", LISTED.v4()));
    let warning = String::from_utf8_lossy(&tried.stderr);
    assert!(warning.contains("2 of 2") && warning.contains("--force"), "{warning}");
    assert!(place_gets_in(&wire, LISTED) && !place_gets_in(&wire, UNLISTED));
    let unguarded = stage.import(&list, &["--replace", "--shrink-guard", "100"]);
    assert_done(&unguarded, "2 added, 2 removed");
    assert!(!place_gets_in(&wire, LISTED) && place_gets_in(&wire, UNLISTED));
    let back = stage.file("back", &format!("{}\n{}\n", LISTED.v4(), LISTED.v6()));
    assert_done(&stage.import(&back, &["--replace", "--force"]), "2 added, 2 removed");
    assert_done(&stage.import(&tor, &["--force"]), "2 added, 0 removed");
    assert!(place_gets_in(&wire, LISTED) && place_gets_in(&wire, UNLISTED));
}

#[test]
fn an_export_makes_the_same_list_again() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app = control.create_app("all", &AppRules::new(&["host"]), Mode::Enforce);
    let list = format!("{}/access_list", app.ours);
    let entries = serde_json::json!([
        {"address": LISTED.v4().to_string(), "comment": "two\nlines", "expires": "2040-01-01T00:00:00Z"},
        {"address": LISTED.v6().to_string(), "enabled": false},
        {"address": "9.9.9.9", "comment": ""},
    ]);
    for entry in entries.as_array().expect("an array") {
        control.must(hyper::Method::POST, &list, Some(entry));
    }
    let shown = |entries: &Value| -> Vec<Value> {
        let keys = ["address", "comment", "enabled", "expires"];
        let entries = entries["entries"].as_array().expect("a list");
        entries.iter().map(|entry| keys.iter().map(|key| entry[key].clone()).collect()).collect()
    };
    let before = shown(&control.get(&list));
    let whole = stage.installation.path("whole.json");
    let whole = whole.to_str().expect("a path of ASCII");
    stage.print(&["accesslist", "export", "--app", "all", "--format", "full", "--output", whole]);
    assert_eq!(
        stage.print(&["accesslist", "export", "--app", "all", "--format", "csv"]),
        format!("{}\n9.9.9.9\n", LISTED.v4())
    );
    let other = stage.file("other", "192.0.2.99\n");
    assert_done(&stage.import(&other, &["--replace", "--force"]), "1 added, 3 removed");
    assert_done(&stage.import(whole, &["--replace", "--force"]), "3 added, 1 removed");
    assert_eq!(shown(&control.get(&list)), before);
    // Also where the entries are there, and are not what they were.
    let same = stage.file("same", &format!("{}\n{} # x\n9.9.9.9 # y\n", LISTED.v4(), LISTED.v6()));
    assert_done(&stage.import(&same, &["--replace"]), "2 changed, 1 unchanged");
    assert_done(&stage.import(whole, &["--replace"]), "0 removed, 2 changed, 1 unchanged");
    assert_eq!(shown(&control.get(&list)), before);
}

#[test]
fn outbound_addresses_are_shown_to_those_who_list_them() {
    let stage = Stage::new();
    let file = stage.installation.path("filterd.toml");
    let text = fs::read_to_string(&file).expect("it is there");
    let outbound = "[[outbound]]\nlabel = \"aws\"\naddresses = [\"192.0.2.9\", \"192.0.2.10\"]\n\
        [[outbound]]\nlabel = \"site\"\naddresses = [\"2001:db8::1\"]\n";
    stage.installation.write_configuration_text(&format!("{text}{outbound}"));
    let _daemon = stage.start();
    let table = stage.print(&["outbound", "list"]);
    assert!(table.contains("aws") && table.contains("2001:db8::1"), "{table}");
    let one = stage.print(&["outbound", "list", "--label", "site", "--json"]);
    assert_eq!(one, "[{\"label\":\"site\",\"addresses\":[\"2001:db8::1\"]}]\n");
    let csv = stage.print(&["outbound", "export", "--label", "aws", "--format", "csv"]);
    assert_eq!(csv, "192.0.2.10\n192.0.2.9\n");
    let target = stage.installation.path("all.json");
    stage.print(&["outbound", "export", "--output", target.to_str().expect("a path of ASCII")]);
    let all: Vec<String> =
        serde_json::from_slice(&fs::read(target).expect("it was written")).expect("an array");
    assert_eq!(all, ["192.0.2.10", "192.0.2.9", "2001:db8::1"]);
    let unknown = ["outbound", "export", "--label", "gcp"];
    let output = stage.installation.filterctl(&stage.world.host, &unknown);
    assert_refused(&output, &["gcp", "aws, site"]);
}
