//! Allowed request origins by the command line.

use filter_tests::scenario::{AppRules, Mode};
use serde_json::{Value, json};

use super::stage::Stage;

impl Stage {
    fn origins(&self) -> Value {
        let listed = self.done(&["--json", "origins", "list", "--app", "web"]);
        serde_json::from_str(&listed).expect("JSON")
    }
}

#[test]
fn origins_are_set_added_removed_and_imported() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let origins = |task: &str, words: &[&str]| {
        stage.done(&[&["origins", task, "--app", "web"], words].concat())
    };
    let said = origins("list", &[]);
    assert!(said.contains("every origin"), "{said}");
    origins("set", &["https://A.example:443", "null", "--require-origin", "yes"]);
    origins("add", &["https://b.example", "https://a.example"]);
    let all = json!(["https://A.example:443", "null", "https://b.example"]);
    assert_eq!(stage.origins(), json!({ "origins": all, "require_origin": true }));
    origins("remove", &["https://a.example", "null"]);
    assert_eq!(stage.origins()["origins"], json!(["https://b.example"]));
    let said =
        stage.fails_with(1, &["origins", "remove", "--app", "web", "https://c.example", "--yes"]);
    assert!(said.contains("https://c.example"), "{said}");
    // The last one opens the app to all pages: nobody can be asked, so it stays.
    let said = stage.fails_with(2, &["origins", "remove", "--app", "web", "https://b.example"]);
    assert!(said.contains("--yes"), "{said}");
    let file = stage.installation.path("realm_config.json");
    let config = r#"{"name":"web","allowed_request_origins":["https://c.example","null"]}"#;
    std::fs::write(&file, config).expect("the directory is ours");
    origins("import", &[file.to_str().expect("a path of ASCII")]);
    assert_eq!(stage.origins()["origins"], json!(["https://c.example", "null"]));
    let shown = stage.done(&["app", "show", "web"]);
    assert!(shown.contains("https://c.example  null; upgrades"), "{shown}");
    origins("set", &["--any", "--require-origin", "no"]);
    assert_eq!(stage.origins(), json!({ "origins": [], "require_origin": false }));
}

#[test]
fn two_who_add_origins_at_a_time_both_get_theirs() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let wanted: Vec<String> = (0..8).map(|number| format!("https://{number}.example")).collect();
    let one = &stage;
    std::thread::scope(|scope| {
        for origin in &wanted {
            let add = ["origins", "add", "--app", "web", origin];
            scope.spawn(move || one.done(&add));
        }
    });
    let mut found: Vec<String> =
        serde_json::from_value(stage.origins()["origins"].clone()).expect("texts");
    found.sort();
    assert_eq!(found, wanted);
}
