//! A corrupt database, a bad configuration, a full disk, a second daemon: the
//! running filter stays, the message names the cause, and nothing that was
//! acknowledged is lost.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use filter_tests::daemon::{AppPath, Control, Installation, NotReady};
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{LISTED, UNLISTED};
use hyper::Method;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde_json::json;

use super::stage::{Stage, place_gets_in};

fn protected(control: &Control) -> AppPath {
    control.create_app("all", &AppRules::new(&["host"]).listing(&[LISTED]), Mode::Enforce)
}

fn still_filters(wire: &Wire<'_>) {
    assert!(place_gets_in(wire, LISTED), "the listed source is still let in");
    assert!(!place_gets_in(wire, UNLISTED), "the unlisted source is still kept out");
}

/// A start that must fail, with words that its log must hold.
fn refuses_to_start(stage: &Stage, words: &[&str]) -> NotReady {
    match stage.installation.try_start(&stage.world.host) {
        Ok(_) => panic!("filterd has started"),
        Err(failure) => {
            let status = failure.status.expect("it has ended by itself");
            assert!(!status.success(), "{failure:#?}");
            for word in words {
                assert!(failure.log.contains(word), "no {word:?} in: {}", failure.log);
            }
            failure
        }
    }
}

#[test]
fn a_second_daemon_is_refused() {
    let stage = Stage::new();
    let mut first = stage.start();
    protected(&first.control());
    let wire = Wire::new(&stage.world).expect("sockets open");
    let state = stage.installation.path("state");
    refuses_to_start(&stage, &[state.to_str().expect("a plain path"), "another filterd"]);
    assert!(first.is_running());
    first.control().status();
    still_filters(&wire);
    assert!(first.stop().success());
    stage.start();
    still_filters(&wire);
}

#[test]
fn a_corrupt_database() {
    let stage = Stage::new();
    let daemon = stage.start();
    protected(&daemon.control());
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(daemon.stop().success());
    let database = stage.installation.path("state/filterd.db");
    let name = database.to_str().expect("a plain path");
    let whole = files(&stage.installation.path("state"));
    // The first bytes of the database; all behind its first page; and a
    // journal that is cut short with it, so that nothing makes up for it.
    let damages: [fn(&str, &mut Vec<u8>); 2] = [
        |name, bytes| {
            if name == "filterd.db" {
                bytes[..100].fill(0xa5);
            }
        },
        |name, bytes| match name {
            "filterd.db" => bytes[4096..].fill(0xa5),
            "filterd.db-wal" => bytes.truncate(0),
            _ => {}
        },
    ];
    for damage in damages {
        for (path, bytes) in &whole {
            let mut bytes = bytes.clone();
            damage(path.file_name().and_then(|name| name.to_str()).unwrap_or_default(), &mut bytes);
            fs::write(path, bytes).expect("it is ours");
        }
        refuses_to_start(&stage, &[name]);
        still_filters(&wire);
        for (path, bytes) in &whole {
            fs::write(path, bytes).expect("it is ours");
        }
    }
    let daemon = stage.start();
    assert_eq!(daemon.control().apps().len(), 1, "what was acknowledged is still there");
    still_filters(&wire);
}

/// To start with an empty state would let everybody in.
#[test]
fn a_database_that_is_gone() {
    let stage = Stage::new();
    let daemon = stage.start();
    protected(&daemon.control());
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(daemon.stop().success());
    let state = stage.installation.path("state");
    let database = state.join("filterd.db");
    assert!(!state.join("filterd.db-wal").exists(), "a stop in order leaves no journal");
    let kept = fs::read(&database).expect("it is there");
    fs::remove_file(&database).expect("it is ours");
    let failure =
        refuses_to_start(&stage, &["there is no database", "would let everybody in", "detach"]);
    assert_eq!(failure.status.and_then(|status| status.code()), Some(78));
    still_filters(&wire);
    // A journal in which there is nothing is no database either.
    fs::write(state.join("filterd.db-wal"), []).expect("it is ours");
    refuses_to_start(&stage, &["there is no database"]);
    fs::write(&database, kept).expect("it is ours");
    let daemon = stage.start();
    assert_eq!(daemon.control().apps().len(), 1, "the file alone holds all that was acknowledged");
    still_filters(&wire);
    assert!(daemon.stop().success());
    fs::remove_file(&database).expect("it is ours");
    stage.done(&["--yes", "detach"]);
    assert!(stage.start().control().apps().is_empty(), "with the filter off, it begins anew");
}

/// A backup, or a database that lost what was in a damaged journal.
#[test]
fn a_database_that_is_older_than_the_filter_is_told_of() {
    let stage = Stage::new();
    let daemon = stage.start();
    protected(&daemon.control());
    assert!(daemon.stop().success());
    let database = stage.installation.path("state/filterd.db");
    let backup = fs::read(&database).expect("it is there");
    let words = "older than what the kernel filters by";
    let wire = Wire::new(&stage.world).expect("sockets open");
    let daemon = stage.start();
    daemon.control().create_app("more", &AppRules::new(&["port=443"]), Mode::Enforce);
    assert!(!stage.installation.log().contains(words));
    assert!(daemon.stop().success());
    fs::write(&database, backup).expect("it is ours");
    let daemon = stage.start();
    assert!(stage.installation.log().contains(words), "{}", stage.installation.log());
    assert_eq!(daemon.control().apps().len(), 1);
    still_filters(&wire);
}

/// What the daemon that is killed has yet to move into the database is in its
/// journal; without it, there is no app.
#[test]
fn a_journal_that_is_gone() {
    let stage = Stage::new();
    let daemon = stage.start();
    protected(&daemon.control());
    let wire = Wire::new(&stage.world).expect("sockets open");
    daemon.kill();
    let journal = stage.installation.path("state/filterd.db-wal");
    let kept = fs::read(&journal).expect("it is there");
    fs::remove_file(&journal).expect("it is ours");
    let _ = fs::remove_file(stage.installation.path("state/filterd.db-shm"));
    let failure = refuses_to_start(&stage, &["holds no app", "would let everybody in", "-wal"]);
    assert_eq!(failure.status.and_then(|status| status.code()), Some(78));
    still_filters(&wire);
    fs::write(&journal, kept).expect("it is ours");
    stage.start();
    still_filters(&wire);
}

/// Whoever removes all pins does not take the filter off.
#[test]
fn pins_that_are_gone() {
    let stage = Stage::new();
    let daemon = stage.start();
    protected(&daemon.control());
    let wire = Wire::new(&stage.world).expect("sockets open");
    fs::remove_dir_all(stage.installation.pins().path()).expect("they are ours");
    let links = stage.installation.pins().path().join("links");
    filter_tests::deadline::wait_for("the pins to be back", || {
        fs::read_dir(&links).ok()?.next().map(drop)
    });
    daemon.kill();
    still_filters(&wire);
    stage.start();
    still_filters(&wire);
}

/// Every file of a directory with what it holds.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fs::read_dir(directory)
        .expect("it is ours")
        .map(|entry| {
            let path = entry.expect("it is ours").path();
            let bytes = fs::read(&path).expect("it is ours");
            (path, bytes)
        })
        .collect()
}

#[test]
fn a_bad_configuration() {
    let stage = Stage::new();
    let daemon = stage.start();
    protected(&daemon.control());
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(daemon.stop().success());
    let file = stage.installation.path("filterd.toml");
    let good = fs::read_to_string(&file).expect("it is there");
    let name = file.to_str().expect("a plain path");
    for (addition, words) in [
        ("colour = \"red\"\n", &["colour"][..]),
        ("on_exit = \"explode\"\n", &["on_exit"]),
        ("[[interface]]\nname = \"lo\"\n", &["lo"]),
        ("[[fail_safe]]\naddress = \"300.1.2.3\"\n", &["fail_safe", "300.1.2.3"]),
        ("this is not toml\n", &[]),
    ] {
        // Keys go in front, tables behind.
        let text = if addition.starts_with('[') {
            format!("{good}{addition}")
        } else {
            format!("{addition}{good}")
        };
        let line = format!(
            "{name}:{}",
            1 + text.find(addition).map_or(0, |at| text[..at].lines().count())
        );
        stage.installation.write_configuration_text(&text);
        let failure = refuses_to_start(&stage, words);
        assert!(failure.log.contains(name), "{}", failure.log);
        let near = failure.log.contains(&line) || addition.starts_with('[');
        assert!(near, "no {line} in {}", failure.log);
        still_filters(&wire);
    }
    // Every fault at once.
    let text = format!("colour = \"red\"\non_exit = \"explode\"\n{good}");
    stage.installation.write_configuration_text(&text);
    refuses_to_start(&stage, &["colour", "on_exit"]);
    stage.installation.write_configuration_text(&good);
    stage.start();
    still_filters(&wire);
}

/// A small file system under the state directory; unmounted when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path) -> Self {
        let options = Some("size=2m,mode=0700");
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), options)
            .expect("a tmpfs can be mounted (root)");
        Self(path)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Nothing can be done about what cannot be unmounted.
        let _ = umount2(self.0, MntFlags::MNT_DETACH);
    }
}

#[test]
fn a_full_disk() {
    let stage = Stage::new();
    let state = stage.installation.path("state");
    let _disk = SmallDisk::mount(&state);
    let daemon = stage.start();
    let control = daemon.control();
    let app = protected(&control);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let filler = state.join("filler");
    let mut file = fs::File::create(&filler).expect("there is still room");
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    let mut acknowledged = Vec::new();
    let refusal = (0..10_000_u32).find_map(|number| {
        let address = std::net::Ipv4Addr::from(0x6400_0000 + number).to_string();
        let body = json!({ "address": address, "comment": "x".repeat(60) });
        let answer = control.call(Method::POST, &app.list, Some(&body)).expect("an answer");
        if answer.status.is_success() {
            acknowledged.push(address);
            return None;
        }
        Some(answer)
    });
    let refusal = refusal.expect("the disk is full, so some change is refused");
    assert_eq!(refusal.status, 507, "{}", refusal.body);
    assert_eq!(refusal.body["error_code"], "StorageFull", "{}", refusal.body);
    still_filters(&wire);
    assert_eq!(control.status()["phase"], "idle");
    assert_holds(&control, &app, &acknowledged);
    // Killed and started on the full disk, or refused with the cause named.
    daemon.kill();
    still_filters(&wire);
    fs::remove_file(&filler).expect("it is ours");
    let daemon = stage.start();
    let control = daemon.control();
    assert_holds(&control, &app, &acknowledged);
    control.add(&app, "198.51.100.99");
    still_filters(&wire);
}

fn assert_holds(control: &Control, app: &AppPath, addresses: &[String]) {
    let list = control.get(&app.list);
    let entries = list["allowed_ips"].as_array().expect("a list");
    let held: Vec<&str> = entries.iter().filter_map(|entry| entry["address"].as_str()).collect();
    for address in addresses {
        assert!(held.contains(&address.as_str()), "{address} was acknowledged and is lost");
    }
    assert_eq!(held.len(), addresses.len() + 2, "only what was acknowledged is there");
}

/// Before the first policy is in the kernel, nothing is attached; a state
/// directory that is no directory is named.
#[test]
fn a_state_directory_that_is_a_file() {
    let stage = Stage::new();
    let state = stage.installation.path("state");
    fs::remove_dir(&state).expect("it is empty");
    fs::write(&state, b"").expect("it is ours");
    refuses_to_start(&stage, &[state.to_str().expect("a plain path")]);
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(place_gets_in(&wire, UNLISTED), "no filter was attached");
    assert_eq!(Installation::pins(&stage.installation).files().len(), 0, "nothing is pinned");
}
