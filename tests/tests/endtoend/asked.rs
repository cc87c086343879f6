//! What is asked on a terminal, and what an answer does.

use std::io::{Read, Write};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use filter_tests::daemon::root;
use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::world::{HOST, LISTED, UNLISTED};

use super::stage::Stage;

const RESTORE: &str = "what it was at version 1?";
const APPLY: &str = "as shown?";
const CUT: &str = "cut this session?";

/// Runs `filterctl` on a terminal in an SSH session, and gives each question
/// its answer once it is asked.
fn answer(stage: &Stage, arguments: &[&str], answers: &[(&str, &str)]) -> (ExitStatus, String) {
    let filterctl = root().join("usr/local/bin/filterctl");
    let config = stage.installation.path("filterd.toml");
    let line =
        format!("{} --config {} {}", filterctl.display(), config.display(), arguments.join(" "));
    let mut child = stage
        .world
        .host
        .command("script")
        .env("SSH_CONNECTION", format!("{} 50000 {} 22", LISTED.v4(), HOST.v4()))
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script makes a terminal (Debian's bsdutils)");
    let mut input = child.stdin.take().expect("it is piped");
    let mut output = child.stdout.take().expect("it is piped");
    let shown = Arc::new(Mutex::new(Vec::new()));
    let reader = {
        let shown = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                shown.lock().expect("nobody panics").extend_from_slice(&piece[..length]);
            }
        })
    };
    let text = || String::from_utf8_lossy(&shown.lock().expect("nobody panics")).into_owned();
    for (question, key) in answers {
        wait_for(question, || text().contains(question).then_some(()));
        input.write_all(key.as_bytes()).expect("the terminal takes it");
    }
    let status = child.wait().expect("the child is ours");
    reader.join().expect("nobody panics");
    (status, text())
}

#[test]
fn a_restore_is_done_when_it_is_wanted() {
    let stage = Stage::new();
    let daemon = stage.start();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    let app = daemon.control().create_app("web", &rules, Mode::Enforce);
    let unlisted = UNLISTED.v4().to_string();
    stage.done(&["accesslist", "create", "--app", "web", "--ip", &unlisted]);
    let version = || daemon.control().get(&format!("{}/access_list", app.ours))["version"].clone();
    let restore = ["restore", "--app", "web", "1"];
    let (status, shown) = answer(&stage, &restore, &[(RESTORE, "n")]);
    assert_eq!((status.code(), version()), (Some(1), 2.into()), "{shown}");
    assert!(shown.contains(&format!("- {unlisted}")) && shown.contains("not confirmed"), "{shown}");
    let (status, shown) = answer(&stage, &restore, &[(RESTORE, "y")]);
    assert_eq!((status.code(), version()), (Some(0), 3.into()), "{shown}");
}

#[test]
fn a_file_that_would_cut_the_callers_session_is_asked_about_twice() {
    let stage = Stage::new();
    let daemon = stage.start();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    daemon.control().create_app("web", &rules, Mode::Enforce);
    let entries = || stage.done(&["--json", "accesslist", "list", "--app", "web"]);
    let before = entries();
    let text = format!("[[app]]\nname = \"web\"\nentries = [\"{}\"]\n", UNLISTED.v4());
    let file = stage.file("apps.toml", &text);
    let apply = ["apply", "-f", &file];
    let (status, shown) = answer(&stage, &apply, &[(APPLY, "y"), (CUT, "n")]);
    assert_eq!((status.code(), entries()), (Some(1), before), "{shown}");
    let (status, shown) = answer(&stage, &apply, &[(APPLY, "y"), (CUT, "y")]);
    assert_eq!(status.code(), Some(0), "{shown}");
    assert!(!entries().contains(&LISTED.v4().to_string()), "{shown}");
}
