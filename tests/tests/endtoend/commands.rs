//! From a line typed at `filterctl` to a packet dropped by the kernel.

use filter_tests::wire::Wire;
use filter_tests::world::{HOST, LISTED, UNLISTED};

use super::stage::{Stage, gets_in, place_gets_in};

#[test]
fn an_access_list_by_the_command_line() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let wire = Wire::new(&stage.world).expect("sockets open");
    let listed = [LISTED.v4().to_string(), LISTED.v6().to_string()];
    assert!(place_gets_in(&wire, UNLISTED), "no app yet: nothing is filtered");
    stage.done(&["app", "create", "web", "--scope", "host", "--yes"]);
    assert!(place_gets_in(&wire, UNLISTED), "a new app lets everybody in");
    stage.done(&["accesslist", "delete", "--app", "web", "--ip", "0.0.0.0/0,::/0"]);
    assert!(!place_gets_in(&wire, UNLISTED) && !place_gets_in(&wire, LISTED));
    for address in &listed {
        stage.done(&["accesslist", "create", "--app", "web", "--ip", address, "--comment", "us"]);
    }
    assert!(place_gets_in(&wire, LISTED) && !place_gets_in(&wire, UNLISTED));
    let shown = stage.done(&["accesslist", "list", "--app", "web"]);
    assert!(listed.iter().all(|address| shown.contains(address.as_str())), "{shown}");
    // An entry changes in its place.
    let unlisted = UNLISTED.v4().to_string();
    let update =
        ["accesslist", "update", "--app", "web", "--ip", &listed[0], "--new-ip", &unlisted];
    stage.done(&update);
    assert!(gets_in(&wire, UNLISTED.v4().into()) && !gets_in(&wire, LISTED.v4().into()));
    stage.done(&["app", "update", "web", "--mode", "observe"]);
    assert!(place_gets_in(&wire, LISTED) && place_gets_in(&wire, UNLISTED), "observe passes all");
    stage.done(&["app", "delete", "web", "--yes"]);
    assert!(!stage.done(&["--json", "app", "list"]).contains("web"));
    assert!(place_gets_in(&wire, UNLISTED), "no app again");
}

#[test]
fn refusals_say_what_to_do() {
    let stage = Stage::new();
    let daemon = stage.start();
    stage.done(&["app", "create", "web", "--scope", "port=443,protocol=tcp", "--yes"]);
    for (arguments, words) in [
        (
            &["accesslist", "create", "--app", "web", "--ip", "10.0.0.5/8"][..],
            &["10.0.0.5/32", "10.0.0.0/8"][..],
        ),
        (&["accesslist", "create", "--app", "web", "--ip", "0.0.0.0/0"], &["already"]),
        (&["accesslist", "create", "--app", "web"], &["--ip"]),
        (&["accesslist", "create", "--ip", "1.1.1.1", "--app", "nosuch"], &["nosuch"]),
        (&["accesslist", "delete", "--app", "web", "--ip", "9.9.9.9"], &["9.9.9.9"]),
        (&["app", "create", "other", "--scope", "port=443,protocol=tcp"], &["web", "other"]),
        (&["app", "create", "other", "--scope", "colour=red"], &["colour=red"]),
    ] {
        let text = stage.refused(arguments);
        for word in words {
            assert!(text.contains(word), "{arguments:?}: no {word:?} in {text}");
        }
    }
    drop(daemon);
    let text = stage.refused(&["status"]);
    assert!(text.contains("systemctl start filterd"), "{text}");
}

/// The change that would cut the caller's own SSH session needs `--yes`.
#[test]
fn the_callers_own_session_is_not_cut_by_accident() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let wire = Wire::new(&stage.world).expect("sockets open");
    stage.done(&["app", "create", "all", "--scope", "host", "--yes"]);
    stage.done(&["accesslist", "delete", "--app", "all", "--ip", "::/0", "--yes"]);
    let session = format!("{} 50000 {} 22", LISTED.v4(), HOST.v4());
    let delete = |yes: bool| {
        let mut command =
            stage.world.host.command(filter_tests::daemon::root().join("usr/local/bin/filterctl"));
        command
            .env("SSH_CONNECTION", &session)
            .arg("--config")
            .arg(stage.installation.path("filterd.toml"))
            .args(["accesslist", "delete", "--app", "all", "--ip", "0.0.0.0/0"])
            .args(yes.then_some("--yes"))
            .stdin(std::process::Stdio::null());
        command.output().expect("filterctl is installed")
    };
    let output = delete(false);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("--yes"), "{text}");
    assert!(gets_in(&wire, LISTED.v4().into()), "nothing was changed");
    let output = delete(true);
    assert!(output.status.success(), "{output:?}");
    assert!(!gets_in(&wire, LISTED.v4().into()), "now it was");
}
