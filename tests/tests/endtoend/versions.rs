//! What a list was: told, compared and brought back, down to the kernel.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use aya::Pod;
use aya::maps::lpm_trie::LpmTrie;
use aya::maps::{Map, MapData};
use filter_common::trie::TrieValue;
use filter_tests::daemon::{AppPath, Control, Installation};
use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{LISTED, UNLISTED};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::stage::{Stage, place_gets_in};

/// The prefixes that the kernel holds of an installation with one app.
fn in_kernel(installation: &Installation) -> BTreeSet<IpNet> {
    let mut prefixes = BTreeSet::new();
    for pin in installation.pins().files() {
        let name = pin.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("trie4-") {
            let net = |(bits, key): (u32, [u8; 4])| {
                Ipv4Net::new(Ipv4Addr::from(key), length(bits)).expect("a length").into()
            };
            prefixes.extend(keys(&pin).into_iter().map(net).collect::<Vec<IpNet>>());
        } else if name.starts_with("trie6-") {
            let net = |(bits, key): (u32, [u8; 16])| {
                Ipv6Net::new(Ipv6Addr::from(key), length(bits)).expect("a length").into()
            };
            prefixes.extend(keys(&pin).into_iter().map(net).collect::<Vec<IpNet>>());
        }
    }
    prefixes
}

fn length(bits: u32) -> u8 {
    u8::try_from(bits).expect("at most 128")
}

/// None of a trie that is just being taken away.
fn keys<K: Pod>(pin: &Path) -> Vec<(u32, K)> {
    let Ok(map) = MapData::from_pin(pin) else { return Vec::new() };
    let trie: LpmTrie<_, K, TrieValue> = Map::LpmTrie(map).try_into().expect("the layout is ours");
    let keys = trie.keys().map(|key| key.expect("the kernel tells its keys"));
    keys.map(|key| (key.prefix_len(), key.data())).collect()
}

/// What a list says it is, and what the kernel should hold of it.
fn list(control: &Control, app: &AppPath) -> (Value, BTreeSet<IpNet>) {
    let list = control.get(&format!("{}/access_list", app.ours));
    let mut entries = list["entries"].clone();
    let mut prefixes = BTreeSet::new();
    for entry in entries.as_array_mut().expect("a list") {
        let address = entry["address"].as_str().expect("text");
        let net =
            |text: &str| text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        if entry["enabled"] == true {
            prefixes.insert(net(address).expect("an address"));
        }
        let entry = entry.as_object_mut().expect("an object");
        entry.retain(|key, _| key != "hits" && key != "last_hit");
    }
    (entries, prefixes)
}

#[test]
fn every_version_comes_back_as_it_was() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    let app = control.create_app("web", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let feed = stage.installation.path("feed");
    let lines: String = (0..2000)
        .map(|n| format!("2001:db8:{n:x}::/48\n198.18.{}.{}\n", n / 250, n % 250))
        .collect();
    std::fs::write(&feed, lines).expect("the directory is ours");
    let feed = feed.to_str().expect("a path of ASCII");
    let (listed, unlisted) = (LISTED.v4().to_string(), UNLISTED.v4().to_string());
    let mut versions = vec![list(&control, &app)];
    for command in [
        &["create", "--ip", "192.0.2.0/24", "--comment", "office", "--for", "8h"][..],
        &["update", "--ip", "192.0.2.0/24", "--comment", "the office", "--disable"],
        &["import", "--replace", "--force", feed, "--reason", "nightly"],
        &["create", "--ip", &unlisted, "--reason", "früh am Morgen"],
        &["delete", "--ip", &unlisted],
    ] {
        stage.done(&[&["accesslist", command[0], "--app", "web"], &command[1..]].concat());
        versions.push(list(&control, &app));
    }
    assert!(!place_gets_in(&wire, LISTED), "{listed} went with the import");
    for (place, (entries, prefixes)) in versions.iter().enumerate().rev() {
        let version = place + 1;
        let said = stage.done(&["restore", "--app", "web", &version.to_string(), "--yes"]);
        assert_eq!(list(&control, &app).0, *entries, "version {version}: {said}");
        assert_eq!(place_gets_in(&wire, LISTED), version < 4, "in force with the answer");
        // What the list before it left behind is freed when there is time.
        wait_for("the kernel to hold just that list", || {
            (in_kernel(&stage.installation) == *prefixes).then_some(())
        });
    }
    history_tells(&stage);
}

/// Of the changes that the test above made.
fn history_tells(stage: &Stage) {
    let told = stage.done(&["--json", "history", "--app", "web", "--limit", "1000"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let told: Vec<&Value> = told.as_array().expect("a list").iter().rev().collect();
    for (version, action, reason) in [
        (2, "entry.create", ""),
        (4, "list.import", "nightly"),
        (5, "entry.create", "früh am Morgen"),
    ] {
        let line = told[version - 1];
        assert_eq!((&line["action"], &line["reason"]), (&action.into(), &reason.into()));
        assert_eq!((&line["who"], &line["from"]), (&"root".into(), &"control socket".into()));
    }
    let shown = stage.done(&["history", "--app", "web", "--limit", "2"]);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    let diff = stage.done(&["diff", "--app", "web", "2", "3"]);
    for line in [
        "--- version 2",
        "+++ version 3",
        "~ 192.0.2.0/24  comment \"office\" is now \"the office\", disabled",
    ] {
        assert!(diff.lines().any(|found| found == line), "{diff}");
    }
    let audit = stage.done(&["--json", "audit", "--limit", "1"]);
    assert!(audit.contains("list.restore") && audit.contains("version 1"), "{audit}");
}

#[test]
fn a_restore_is_shown_first_and_done_only_when_that_is_wanted() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    let app = control.create_app("web", &rules, Mode::Enforce);
    let unlisted = UNLISTED.v4().to_string();
    stage.done(&["accesslist", "create", "--app", "web", "--ip", &unlisted, "--comment", "x"]);
    let before = list(&control, &app);
    let shown = stage.done(&["restore", "--app", "web", "1", "--dry-run"]);
    assert!(shown.contains(&format!("- {unlisted}  x")), "{shown}");
    // Nobody can be asked: the question is not taken for answered.
    let text = stage.fails_with(2, &["restore", "--app", "web", "1"]);
    assert!(text.contains("--yes"), "{text}");
    let text = stage.fails_with(1, &["restore", "--app", "web", "7", "--yes"]);
    assert!(text.contains("versions 1 to 2"), "{text}");
    assert_eq!(list(&control, &app), before);
    let said = stage.done(&["restore", "--app", "web", "2", "--yes"]);
    assert!(said.contains("as it was at version 2"), "{said}");
}

#[test]
fn a_change_for_an_old_version_is_refused() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    let app = control.create_app("web", &rules, Mode::Enforce);
    let (listed, feed) = (LISTED.v4().to_string(), stage.installation.path("feed"));
    std::fs::write(&feed, "::1\n").expect("the directory is ours");
    let create = ["accesslist", "create", "--app", "web", "--if-version", "1", "--ip"];
    stage.done(&[&create[..], &["192.0.2.1"]].concat());
    let before = list(&control, &app);
    for command in [
        &["create", "--ip", "192.0.2.2"][..],
        &["update", "--ip", &listed, "--comment", "x"],
        &["delete", "--ip", &listed],
        &["import", feed.to_str().expect("a path of ASCII")],
    ] {
        let words = ["accesslist", command[0], "--app", "web", "--if-version", "1"];
        let text = stage.fails_with(5, &[&words[..], &command[1..]].concat());
        for word in ["version 2", "version 1", "filterctl history"] {
            assert!(text.contains(word), "{command:?}: {text}");
        }
    }
    let text = stage.fails_with(
        5,
        &["--json", "accesslist", "delete", "--app", "web", "--if-version", "1", "--ip", &listed],
    );
    assert!(text.contains("VersionMismatch"), "{text}");
    assert_eq!(list(&control, &app), before);
    // Each of several is for the version that the one before it made.
    let both = format!("{listed},192.0.2.1");
    stage.done(&["accesslist", "delete", "--app", "web", "--if-version", "2", "--ip", &both]);
    let shown = stage.done(&["app", "show", "web"]);
    assert!(shown.contains("version 4 of the list"), "{shown}");
}
