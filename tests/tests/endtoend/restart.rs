//! The filter outlives the daemon: kill -9 at any moment, restart, stop.

use std::path::PathBuf;
use std::time::Instant;

use filter_tests::bpf_link::LinkFacts;
use filter_tests::daemon::{Configuration, Daemon, Installation};
use filter_tests::deadline::wait_for;
use filter_tests::pulse::Pulse;
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{HOST_INTERFACE, LISTED, Place, UNLISTED};

use super::lists::big_list;
use super::stage::{Stage, configuration, place_gets_in};

/// How often the daemon is killed.
const KILLS: u32 = 12;

/// Entries of the lists that are being applied meanwhile.
const ENTRIES: u32 = 20_000;

const FIRST_ONLY: Place = Place(111);
const SECOND_ONLY: Place = Place(112);

#[test]
fn killed_at_any_moment_of_an_apply() {
    let stage = Stage::new();
    let mut daemon = stage.start();
    let app = daemon.control().create_app("big", &AppRules::new(&["host"]), Mode::Enforce);
    let lists = [FIRST_ONLY, SECOND_ONLY].map(|only| {
        let mut list = big_list(ENTRIES, u32::from(only.0) % 2);
        for place in [LISTED, only] {
            list.extend([place.v4().to_string(), place.v6().to_string()]);
        }
        list
    });
    let control = daemon.control();
    control.import(&app, &lists[0], true);
    // How long an apply takes here decides where the moments lie.
    let start = Instant::now();
    control.import(&app, &lists[1], true);
    let whole = start.elapsed();
    control.import(&app, &lists[0], true);
    daemon.kill();
    daemon = stage.start();
    let wire = Wire::new(&stage.world).expect("sockets open");
    let link = link(&stage.installation);
    let before = LinkFacts::read(&link).expect("the link is pinned");
    let pins = kinds_of_pins(&stage.installation);
    let pulse = Pulse::start(&stage.world, LISTED, &[UNLISTED]);
    let mut current = 0;
    let mut outcomes = [0, 0];
    for kill in 0..KILLS {
        let next = 1 - current;
        let moment = whole * (KILLS + 15 * kill) / (10 * KILLS);
        let acknowledged = std::thread::scope(|scope| {
            let import = scope.spawn(|| {
                let path = format!("{}/access_list/import", app.ours);
                let entries: Vec<_> = lists[next]
                    .iter()
                    .map(|address| serde_json::json!({ "address": address }))
                    .collect();
                let body = serde_json::json!({ "entries": entries, "replace": true });
                control.call(hyper::Method::POST, &path, Some(&body))
            });
            // The moment is the input of the test, not a synchronisation.
            std::thread::sleep(moment);
            daemon.kill();
            import.join().expect("the thread ends").is_ok_and(|answer| answer.status.is_success())
        });
        one_list(&wire, &[current, next]);
        daemon = stage.start();
        let got = one_list(&wire, &[current, next]);
        assert!(!acknowledged || got == next, "what was acknowledged is lost, kill {kill}");
        outcomes[usize::from(got == next)] += 1;
        current = got;
        let now = LinkFacts::read(&link).expect("the link is pinned");
        assert_eq!((now.id, now.ifindex), (before.id, before.ifindex), "detached, kill {kill}");
    }
    let report = pulse.finish();
    println!("{KILLS} kills: {} old, {} new; {report:?}", outcomes[0], outcomes[1]);
    assert_eq!((report.missing, report.leaked), (0, 0), "{report:?}");
    // What the last change left behind is freed when there is time.
    wait_for(&format!("the pins to be {pins:?} again"), || {
        (kinds_of_pins(&stage.installation) == pins).then_some(())
    });
}

/// Which of the two lists is in force: exactly one must be.
fn one_list(wire: &Wire<'_>, candidates: &[usize; 2]) -> usize {
    let admitted = [FIRST_ONLY, SECOND_ONLY].map(|place| place_gets_in(wire, place));
    assert_ne!(admitted[0], admitted[1], "not exactly one whole list is in force");
    assert!(place_gets_in(wire, LISTED) && !place_gets_in(wire, UNLISTED));
    let got = usize::from(admitted[1]);
    assert!(candidates.contains(&got));
    got
}

#[test]
fn killed_and_restarted_without_a_gap() {
    let stage = Stage::new();
    let daemon = stage.start();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    daemon.control().create_app("all", &rules, Mode::Enforce);
    let link = link(&stage.installation);
    let before = LinkFacts::read(&link).expect("the link is pinned");
    let pins = kinds_of_pins(&stage.installation);
    let pulse = Pulse::start(&stage.world, LISTED, &[UNLISTED]);
    let mut daemon = Some(daemon);
    let mut programs = vec![before.program_id];
    for round in 0..5 {
        let running = daemon.take().expect("one runs");
        if round % 2 == 0 {
            running.kill();
        } else {
            assert!(running.stop().success());
        }
        // With nobody there, the last list goes on.
        let rounds = pulse.rounds();
        wait_for("traffic with the daemon dead", || (pulse.rounds() > rounds + 50).then_some(()));
        let now = LinkFacts::read(&link).expect("the link is pinned");
        assert_eq!(now.id, before.id);
        daemon = Some(stage.start());
        let now = LinkFacts::read(&link).expect("the link is pinned");
        assert_eq!((now.id, now.ifindex), (before.id, before.ifindex), "round {round}");
        programs.push(now.program_id);
    }
    let report = pulse.finish();
    println!("5 restarts: {report:?}");
    assert_eq!((report.missing, report.leaked), (0, 0), "{report:?}");
    wait_for(&format!("the pins to be {pins:?} again"), || {
        (kinds_of_pins(&stage.installation) == pins).then_some(())
    });
    programs.dedup();
    assert!(programs.len() > 1, "the link was never updated to the new daemon's program");
}

#[test]
fn an_orderly_stop_does_what_on_exit_says() {
    for (on_exit, stays) in [("keep", true), ("open", false)] {
        let configuration =
            Configuration { on_exit: Some(on_exit), ..configuration(HOST_INTERFACE, "native") };
        let stage = Stage { installation: Installation::new(configuration), ..Stage::new() };
        let daemon = stage.start();
        daemon.control().create_app("nobody", &AppRules::new(&["host"]), Mode::Enforce);
        let wire = Wire::new(&stage.world).expect("sockets open");
        assert!(!place_gets_in(&wire, UNLISTED));
        assert!(daemon.stop().success());
        assert_eq!(place_gets_in(&wire, UNLISTED), !stays, "on_exit = {on_exit}");
        let daemon = stage.start();
        assert!(!place_gets_in(&wire, UNLISTED), "after a start");
        // Killed is not stopped: nobody was there to take the filter off.
        daemon.kill();
        assert!(!place_gets_in(&wire, UNLISTED), "killed with on_exit = {on_exit}");
    }
}

/// A daemon that lets nobody in, and the wire on which nobody gets through.
fn enforcing(stage: &Stage) -> (Daemon<'_>, Wire<'_>) {
    let daemon = stage.start();
    daemon.control().create_app("nobody", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(!place_gets_in(&wire, UNLISTED));
    (daemon, wire)
}

#[test]
fn detach_works_without_the_daemon_and_says_so() {
    let stage = Stage::new();
    let (daemon, wire) = enforcing(&stage);
    daemon.kill();
    let output = stage.installation.filterctl(&stage.world.host, &["--yes", "detach"]);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).to_lowercase();
    assert!(output.status.success() && text.contains("open"), "{text}");
    assert!(place_gets_in(&wire, UNLISTED), "detached is open");
}

/// Whatever else is wrong with the configuration, its paths lead to the links.
#[test]
fn detach_reads_the_paths_of_a_faulty_configuration() {
    let stage = Stage::new();
    let (daemon, wire) = enforcing(&stage);
    daemon.kill();
    let file = stage.installation.path("filterd.toml");
    let text = std::fs::read_to_string(&file).expect("it is there");
    stage.installation.write_configuration_text(&format!("on_exit = 7\ncolour = true\n{text}"));
    let said = stage.done(&["--yes", "detach"]);
    assert!(said.contains("TRAFFIC IS NOW OPEN"), "{said}");
    assert!(place_gets_in(&wire, UNLISTED), "detached is open");
}

#[test]
fn detach_and_attach_through_the_daemon() {
    let stage = Stage::new();
    let (daemon, wire) = enforcing(&stage);
    for (task, open, filter) in [("detach", true, "detached"), ("attach", false, "on")] {
        let output = stage.installation.filterctl(&stage.world.host, &["--yes", task]);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(place_gets_in(&wire, UNLISTED), open, "{task}");
        assert_eq!(daemon.control().status()["filter"], filter);
        let audit = stage.done(&["--json", "audit", "--limit", "1"]);
        assert!(audit.contains(&format!("host.{task}")), "{audit}");
    }
}

/// The pin of the one link.
pub(crate) fn link(installation: &Installation) -> PathBuf {
    let links = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "links");
    let found: Vec<PathBuf> = installation.pins().files().into_iter().filter(links).collect();
    match <[PathBuf; 1]>::try_from(found) {
        Ok([link]) => link,
        Err(found) => panic!("not one link, but {found:?}"),
    }
}

fn is_digit_or_dash(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'-'
}

/// The names of all pins with their numbers left out, sorted: which trie has
/// which number changes, how many there are does not.
fn kinds_of_pins(installation: &Installation) -> Vec<String> {
    let mut kinds: Vec<String> = installation
        .pins()
        .files()
        .iter()
        .filter_map(|file| file.file_name()?.to_str().map(str::to_owned))
        .map(|name| match name.split_once('-') {
            Some((kind, numbers)) if numbers.bytes().all(is_digit_or_dash) => kind.to_owned(),
            Some(_) | None => name,
        })
        .collect();
    kinds.sort();
    kinds
}
