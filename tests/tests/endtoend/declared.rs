//! Apps and their lists as a file says, from the plan to the kernel.

use filter_tests::daemon::root;
use filter_tests::wire::Wire;
use filter_tests::world::{HOST, LISTED, UNLISTED};
use serde_json::Value;

use super::stage::{Stage, place_gets_in};

const EXAMPLE: &str = "usr/local/share/doc/filterd/examples/apps.toml";

impl Stage {
    fn apps(&self) -> Value {
        serde_json::from_str(&self.done(&["--json", "app", "list"])).expect("JSON")
    }
}

#[test]
fn a_file_is_planned_applied_and_then_nothing_is_left_to_do() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let wire = Wire::new(&stage.world).expect("sockets open");
    stage.done(&["app", "create", "old", "--scope", "port=22"]);
    stage.file("feed.txt", &format!("# a list\n{}  # by a feed\n", LISTED.v6()));
    let text = format!(
        "[[app]]\nname = \"web\"\nscopes = [\"host\"]\norigins = [\"https://a.example\"]\n\
         entries = [\"{}\", {{ address = \"{}\", comment = \"off\", enabled = false }}]\n\
         entries_from = [\"feed.txt\"]\n",
        LISTED.v4(),
        UNLISTED.v4(),
    );
    let file = stage.file("apps.toml", &text);
    let plan = stage.done(&["apply", "-f", &file, "--prune", "--dry-run"]);
    for line in ["create web: scopes host; origins https://a.example", "  list: 3 added"] {
        assert!(plan.lines().any(|found| found.starts_with(line)), "{plan}");
    }
    assert!(plan.contains("delete old-") && plan.contains("nothing was changed"), "{plan}");
    // Nobody can be asked: the question is not taken for answered.
    let text = stage.fails_with(2, &["apply", "-f", &file]);
    assert!(text.contains("--yes"), "{text}");
    assert_eq!(stage.apps()[0]["name"], "old");
    assert!(place_gets_in(&wire, UNLISTED), "nothing was changed");
    stage.done(&["apply", "-f", &file, "--prune", "--yes", "--reason", "release 7"]);
    assert!(place_gets_in(&wire, LISTED) && !place_gets_in(&wire, UNLISTED));
    let apps = stage.apps();
    assert_eq!(apps.as_array().map(Vec::len), Some(1), "{apps}");
    assert_eq!((&apps[0]["name"], &apps[0]["entries"]), (&"web".into(), &3.into()));
    let nothing = stage.file("nothing.toml", "");
    let text = stage.fails_with(1, &["apply", "-f", &nothing, "--prune", "--yes"]);
    assert!(text.contains("nothing.toml") && text.contains("delete all"), "{text}");
    let again = stage.done(&["apply", "-f", &file]);
    assert!(again.contains("Everything is as the file says"), "{again}");
    let history = stage.done(&["history", "--app", "web"]);
    assert!(history.contains("release 7"), "{history}");
    changes_are_shown(&stage, &file);
}

/// Of the app that the test above made; as JSON, which TOML need not be.
fn changes_are_shown(stage: &Stage, toml: &str) {
    let (listed, unlisted) = (LISTED.v4(), UNLISTED.v4());
    let text = format!(
        r#"{{"app":[{{"name":"web","mode":"observe","entries":["{listed}","{unlisted}"]}}]}}"#
    );
    let json = stage.file("apps.json", &text);
    let shown = stage.done(&["apply", "-f", &json, "--yes"]);
    for line in [
        ": mode observe".to_owned(),
        "  list: 0 added, 1 removed, 1 changed, 1 unchanged".to_owned(),
        format!("  - {}", LISTED.v6()),
        format!("  ~ {unlisted}"),
    ] {
        assert!(shown.lines().any(|found| found.ends_with(&line)), "{shown}");
    }
    let entry = stage.done(&["accesslist", "show", "--app", "web", "--ip", &unlisted.to_string()]);
    assert!(!entry.contains("off") && entry.contains("applied"), "the file says all: {entry}");
    let plan = stage.done(&["--json", "apply", "-f", toml, "--dry-run"]);
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan[0]["list"]["added_addresses"][0], LISTED.v6().to_string());
}

#[test]
fn faults_are_told_with_file_line_and_key() {
    let stage = Stage::new();
    let _daemon = stage.start();
    stage.file("block.netset", "# Spamhaus DROP List\n192.0.2.0/24\n");
    stage.file("empty.txt", "# nothing\n");
    for (text, words) in [
        ("[[app]]\nname = \"a\"\ncolour = 1\n", &["apps.toml:3", "app[0].colour"][..]),
        (
            "[[app]]\nname = \"a\"\nentries = [\n\"::1\",\n\"10.0.0.1/8\",\n\"x\"]\n",
            &["apps.toml:5", "app[0].entries[1]", "10.0.0.0/8", "apps.toml:6", "entries[2]"],
        ),
        ("[[app]]\nname = \"7\"\n", &["name", "\"7\""]),
        ("[[app]]\nname = \"a\"\nentries_from = [\"gone.txt\"]\n", &["gone.txt"]),
        ("[[app]]\nname = \"a\"\nentries_from = [\"empty.txt\"]\n", &["empty.txt", "no address"]),
        (
            "[[app]]\nname = \"a\"\nentries_from = [\"block.netset\"]\n",
            &["block.netset", "--force"],
        ),
    ] {
        let file = stage.file("apps.toml", text);
        let said = stage.fails_with(1, &["apply", "-f", &file, "--yes"]);
        for word in words {
            assert!(said.contains(word), "{text}: no {word:?} in {said}");
        }
    }
    assert_eq!(stage.apps(), Value::Array(Vec::new()), "nothing was made");
}

#[test]
fn the_installed_example_can_be_applied() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let example = root().join(EXAMPLE);
    let example = example.to_str().expect("a path of ASCII");
    stage.done(&["apply", "-f", example, "--yes"]);
    let apps = stage.apps();
    let entries = |name: &str| {
        let mut apps = apps.as_array().expect("a list").iter();
        apps.find(|app| app["name"] == name).expect(name)["entries"].clone()
    };
    assert_eq!((entries("web"), entries("api")), (5.into(), 97.into()), "96 of App Services");
    let again = stage.done(&["apply", "-f", example]);
    assert!(again.contains("Everything is as the file says"), "{again}");
}

#[test]
fn standard_input_is_read() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let text = format!("[[app]]\nname = \"web\"\nscopes = [\"to={}\"]\n", HOST.v4());
    let file = stage.file("apps.toml", &text);
    let mut command = stage.world.host.command(root().join("usr/local/bin/filterctl"));
    let output = command
        .arg("--config")
        .arg(stage.installation.path("filterd.toml"))
        .args(["apply", "-f", "-", "--dry-run"])
        .stdin(std::fs::File::open(file).expect("it was written"))
        .output()
        .expect("filterctl is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("create web: scopes"), "{output:?}");
    assert!(
        said.contains("+ 0.0.0.0/0") && said.contains("+ ::/0"),
        "a new app lets all in: {said}"
    );
}
