//! Changes of big lists: in force when the answer has arrived, and whole at
//! every moment.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use filter_tests::pulse::Pulse;
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{LISTED, Place, UNLISTED};

use super::stage::{Stage, gets_in, place_gets_in};

/// Entries of a big list.
const ENTRIES: u32 = 100_000;

/// Entries of a file that is imported: with two more, all that a list takes.
const FILE_ENTRIES: u32 = 999_998;

/// How often one entry is added and removed.
const SINGLE_CHANGES: usize = 50;

/// How often the whole list is replaced under traffic.
const REPLACEMENTS: usize = 20;

/// Only on the first, and only on the second of two lists by turns.
const FIRST_ONLY: Place = Place(111);
const SECOND_ONLY: Place = Place(112);

/// A list of so many entries of both families, none of them of the world's
/// addresses, and different for every salt.
pub(crate) fn big_list(entries: u32, salt: u32) -> Vec<String> {
    (0..entries)
        .map(|number| match number % 4 {
            0 => {
                let high = 0x2001_0db8_0000_0000 + u64::from(salt);
                Ipv6Addr::from(u128::from(high) << 64 | u128::from(number)).to_string()
            }
            1 => format!("{}/28", Ipv4Addr::from(0x3000_0000 + (salt << 24) + number * 16)),
            _ => Ipv4Addr::from(0x6000_0000 + (salt << 24) + number * 3).to_string(),
        })
        .collect()
}

fn with_places(mut list: Vec<String>, places: &[Place]) -> Vec<String> {
    for place in places {
        list.push(place.v4().to_string());
        list.push(place.v6().to_string());
    }
    list
}

#[test]
fn one_entry_among_many_is_in_force_when_the_answer_is_there() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app = control.create_app("big", &AppRules::new(&["host"]), Mode::Enforce);
    control.import(&app, &with_places(big_list(ENTRIES, 0), &[LISTED]), true);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let mut took = Vec::new();
    for _ in 0..SINGLE_CHANGES {
        let added: Vec<String> = [IpAddr::from(UNLISTED.v4()), UNLISTED.v6().into()]
            .into_iter()
            .map(|address| {
                let (entry, answer) = control.add(&app, &address.to_string());
                took.push(answer.took);
                entry
            })
            .collect();
        assert!(place_gets_in(&wire, UNLISTED), "an added entry is in force");
        assert!(place_gets_in(&wire, LISTED));
        for entry in added {
            took.push(control.delete(&entry).took);
        }
        assert!(!place_gets_in(&wire, UNLISTED), "a removed entry is out of force");
        assert!(place_gets_in(&wire, LISTED));
    }
    took.sort();
    println!(
        "{} single changes with {ENTRIES} entries loaded: median {:?}, worst {:?}",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1]
    );
}

#[test]
fn a_whole_list_is_replaced_under_traffic_without_a_wrong_verdict() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let lists = [
        with_places(big_list(ENTRIES, 0), &[LISTED, FIRST_ONLY]),
        with_places(big_list(ENTRIES, 1), &[LISTED, SECOND_ONLY]),
    ];
    let app = control.create_app("big", &AppRules::new(&["host"]), Mode::Enforce);
    control.import(&app, &lists[1], true);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let pulse = Pulse::start(&stage.world, LISTED, &[UNLISTED]);
    let mut took: Vec<Duration> = Vec::new();
    let mut looks = 0;
    for replacement in 0..REPLACEMENTS {
        let (goes, comes) = match replacement % 2 {
            0 => (SECOND_ONLY, FIRST_ONLY),
            _ => (FIRST_ONLY, SECOND_ONLY),
        };
        let answer = std::thread::scope(|scope| {
            let import = scope.spawn(|| control.import(&app, &lists[replacement % 2], true));
            looks += watch_the_switch(&wire, goes, comes, || import.is_finished());
            import.join().expect("the import is answered")
        });
        took.push(answer.took);
        assert!(place_gets_in(&wire, comes) && !place_gets_in(&wire, goes), "{replacement}");
    }
    let report = pulse.finish();
    took.sort();
    println!(
        "{REPLACEMENTS} replacements of {ENTRIES} entries: median {:?}, worst {:?}; {looks} looks \
         at the switch; {report:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    assert_eq!((report.missing, report.leaked), (0, 0), "{report:?}");
}

/// Looks, until `done`, which of the two lists is in force, by a source that
/// is only on the old one and then one that is only on the new one. When the
/// first is refused the second must be admitted, and what was once switched
/// stays switched.
fn watch_the_switch(wire: &Wire<'_>, goes: Place, comes: Place, done: impl Fn() -> bool) -> usize {
    let mut looks = 0;
    let mut switched = false;
    while !done() {
        let old = gets_in(wire, goes.v4().into());
        let new = gets_in(wire, comes.v4().into());
        assert!(old || new, "neither list is in force");
        assert!(!(switched && old), "the old list has come back");
        switched = !old;
        looks += 1;
    }
    looks
}

#[test]
fn a_long_file_is_kept_whole_when_the_daemon_is_killed_right_after_the_answer() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("big", &AppRules::new(&["host"]), Mode::Enforce);
    let list = with_places(big_list(FILE_ENTRIES, 0), &[LISTED]);
    let file = stage.installation.path("list");
    std::fs::write(&file, list.join("\n")).expect("the directory is ours");
    let file = file.to_str().expect("a path of ASCII");
    let import = ["accesslist", "import", "--app", "big", "--replace", file];
    let imported = stage.installation.filterctl(&stage.world.host, &import);
    daemon.kill();
    let summary = String::from_utf8_lossy(&imported.stdout);
    assert!(summary.contains("1000000 added, 0 removed, 0 unchanged"), "{imported:?}");

    let daemon = stage.start();
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(place_gets_in(&wire, LISTED) && !place_gets_in(&wire, UNLISTED));
    let shown =
        stage.installation.filterctl(&stage.world.host, &["accesslist", "list", "--app", "big"]);
    let shown = String::from_utf8(shown.stdout).expect("text");
    let address = |row: &'_ str| row.split_whitespace().next().map(str::to_owned);
    let rows: Vec<String> = shown.lines().skip(2).filter_map(address).collect();
    assert!(rows == list, "{} rows, in the order of the file", rows.len());
    let again = stage.installation.filterctl(&stage.world.host, &import);
    daemon.kill();
    let summary = String::from_utf8_lossy(&again.stdout);
    assert!(summary.contains("0 added, 0 removed, 1000000 unchanged"), "{again:?}");
}

#[test]
fn an_import_that_fails_changes_nothing() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    let app = control.create_app("all", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let before = control.get(&app.list);
    let bad = ["198.51.100.7", "10.77.0.66", "10.0.0.5/8", "not an address"];
    let entries: Vec<_> =
        bad.iter().map(|address| serde_json::json!({ "address": address })).collect();
    let body = serde_json::json!({ "entries": entries, "replace": true });
    let path = format!("{}/access_list/import", app.ours);
    let answer = control.call(hyper::Method::POST, &path, Some(&body)).expect("an answer");
    assert_eq!(answer.status, 400, "{}", answer.body);
    let text = answer.body["error"].as_str().expect("an error text");
    assert!(text.contains("10.0.0.5/8") && text.contains("not an address"), "{text}");
    assert_eq!(control.get(&app.list), before);
    assert!(place_gets_in(&wire, LISTED) && !place_gets_in(&wire, UNLISTED));
}
