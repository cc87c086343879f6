//! Programs of others as clients: the npm client of the API, and
//! schemathesis, which tries everything that the OpenAPI document allows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use filter_tests::world::{Family, LISTED};

use super::stage::Stage;

/// How long schemathesis may try, in seconds.
const TRYING: &str = "90";

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

/// The drops are left out: they have no end.
#[test]
fn schemathesis_finds_no_fault() {
    let stage = Stage::new();
    let daemon = stage.start();
    let key = stage.key(&[]);
    stage.filterctl(&["app", "create", "web", "--allow", "192.0.2.0/24", "--yes"]);
    let admin = stage.admin(LISTED, Family::V4);
    let tokens = admin.log_in(&key.public, &key.private);
    let folder = tempfile::tempdir().expect("a folder");
    let mut schemathesis = stage.world.outside.command(installed("FILTERD_SCHEMATHESIS"));
    schemathesis
        .current_dir(folder.path())
        .arg("run")
        .arg(here("../filter-daemon/dist/openapi.json"))
        .args(["--url", &admin.url(), "--tls-verify"])
        .arg(stage.authority())
        .args(["--header", &format!("Authorization: Bearer {}", tokens.access)])
        .args(["--exclude-path", "/api/filter/v1/drops"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-time", TRYING, "--workers", "2"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
        .args(["--checks", "response_headers_conformance,response_schema_conformance"])
        .args(["--max-examples", "30", "--continue-on-failure", "--generation-database", "none"])
        .env("NO_COLOR", "1");
    run(&mut schemathesis);
    assert_eq!(daemon.control().status()["phase"], "idle");
}
