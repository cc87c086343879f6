//! Programs of others as clients: the npm client of the API, and
//! schemathesis, which tries everything that the OpenAPI document allows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use filter_tests::world::{Family, LISTED};

use super::stage::Stage;

/// How long schemathesis may try.
const TRYING_S: &str = "45";

/// What schemathesis looks at.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,ignored_auth";

/// Where `cargo xtask setup` put a program of somebody else.
fn installed(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} is not set: run `cargo xtask test`, which installs it"),
    }
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn told(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}\n{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("it is installed (cargo xtask setup)");
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

#[test]
fn the_npm_client_works_unchanged() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let key = stage.key(&[]);
    stage.filterctl(&["app", "create", "web", "--allow", "192.0.2.0/24", "--yes"]);
    let admin = stage.admin(LISTED, Family::V4);
    let mut node = stage.world.outside.command("node");
    node.arg(here("clients/npm/list.js"))
        .env("NODE_PATH", installed("FILTERD_NPM_CLIENT").join("node_modules"))
        .env("NODE_EXTRA_CA_CERTS", stage.authority())
        .env("FILTERD_URL", admin.url())
        .env("FILTERD_PUBLIC_KEY", &key.public)
        .env("FILTERD_PRIVATE_KEY", &key.private)
        .env("FILTERD_APP", "web");
    let said = run(&mut node);
    assert!(said.contains("all as it should be"), "{said}");
    let app = stage.filterctl(&["app", "show", "web"]);
    assert_eq!(app["origins"].as_array().map(Vec::len), Some(2), "{app}");
}

/// How it calls a connection that was idle and is closed under its next request;
/// it tries again where the end is seen as one of TCP, and not where it is
/// one of TLS.
const CUT: &str = "EOF occurred in violation of protocol";

/// What schemathesis draws its tries from.
const SEED: &str = "7";

/// Has schemathesis try everything but what is excluded, with a good key, and
/// with settings of its own.
fn schemathesis(stage: &Stage, settings: &str, excluded: &[&str]) -> String {
    let key = stage.key(&[]);
    let admin = stage.admin(LISTED, Family::V4);
    let tokens = admin.log_in(&key.public, &key.private);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("schemathesis.toml"), settings).expect("ours");
    let mut schemathesis = stage.world.outside.command(installed("FILTERD_SCHEMATHESIS"));
    schemathesis
        .current_dir(folder.path())
        .arg("run")
        .arg(here("../filter-daemon/dist/openapi.json"))
        .args(["--url", &admin.url(), "--tls-verify"])
        .arg(stage.authority())
        .args(["--header", &format!("Authorization: Bearer {}", tokens.access)])
        .args(["--phases", "examples,coverage,fuzzing", "--max-time", TRYING_S, "--workers", "2"])
        // A connection that was idle may be closed under its next request.
        .args(["--request-retries", "3"])
        .args(["--checks", CHECKS, "--continue-on-failure", "--generation-database", "none"])
        // What it tries is the same each time, as far as the time goes.
        .args(["--seed", SEED])
        .args(excluded.iter().flat_map(|name| ["--exclude-operation-id", name]))
        .env("NO_COLOR", "1");
    let first = schemathesis.output().expect("it is installed (cargo xtask setup)");
    let said = told(&first);
    if !first.status.success() && said.contains(CUT) && !said.contains("FAILURES") {
        return run(&mut schemathesis);
    }
    assert!(first.status.success(), "{said}");
    said
}

/// The drops are left out: they have no end.
#[test]
fn schemathesis_finds_no_fault() {
    let stage = Stage::new();
    let daemon = stage.start();
    let said = schemathesis(&stage, "", &["followDrops"]);
    assert!(said.contains("Test cases:"), "{said}");
    assert_eq!(daemon.control().status()["phase"], "idle");
}

/// What would take the ids away that it is told is left out too.
#[test]
fn schemathesis_finds_no_fault_where_there_is_something() {
    let stage = Stage::new();
    let daemon = stage.start();
    let app = stage.filterctl(&["app", "create", "web", "--allow", "192.0.2.0/24", "--yes"]);
    let list = stage.filterctl(&["accesslist", "list", "--app", "web"]);
    let key = stage.key(&["192.0.2.0/24".to_owned()]);
    let keys = stage.filterctl(&["key", "accesslist", "list", &key.public]);
    let settings = format!(
        "[parameters]\n\"path.group\" = {}\n\"path.app\" = {}\n\"path.entry\" = {}\n\
         \"path.key\" = {:?}\n\"path.version\" = 1\n\
         [[operations]]\ninclude-path-regex = \"/keys/\"\nparameters = {{ \"path.entry\" = {} }}\n",
        app["group_id"], app["_id"], list[0]["_id"], key.id, keys[0]["_id"],
    );
    let deletions = ["deleteApp", "adminDeleteApplication", "apply", "deleteKey"];
    let excluded = [&["followDrops"], deletions.as_slice()].concat();
    let said = schemathesis(&stage, &settings, &excluded);
    assert!(said.contains("Test cases:"), "{said}");
    assert_eq!(daemon.control().status()["phase"], "idle");
}
