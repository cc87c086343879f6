//! The gates that a change has to pass: tests, lints, and both with the demo.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::{demo, install, process, setup, tidy, unit, workspace};

/// Where the tests' installed tree begins, below the checkout.
const TEST_ROOT: &str = "target/test-root";

/// The variable that tells tests where the installed tree begins.
const INSTALLED_ROOT: &str = "FILTERD_ROOT";

/// The variable that tells tests where the image of Linux 6.1 is.
const LINUX_6_1: &str = "FILTERD_LINUX_6_1";

/// The variables that tell tests where clients of the Admin API are.
const NPM_CLIENT: &str = "FILTERD_NPM_CLIENT";
const SCHEMATHESIS: &str = "FILTERD_SCHEMATHESIS";

/// Sets the machine up, installs the release below a folder of its own, and
/// runs every test against it. Tests run as root, through sudo if need be.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let test_root = workspace::root().join(TEST_ROOT);
    setup::run(setup::Purpose::Test)?;
    tidy::run(false)?;
    unit::check()?;
    install::below(&test_root)?;
    let mut cargo = process::cargo();
    // The BPF crate has no tests of its own and no use on this machine's CPU.
    cargo.args(["test", "--workspace", "--exclude", "filter-ebpf"]);
    if arguments.is_empty() {
        cargo.arg("--no-fail-fast");
    }
    cargo.args(arguments).env(INSTALLED_ROOT, &test_root);
    cargo.env(LINUX_6_1, setup::kernel::image());
    cargo.env(NPM_CLIENT, setup::clients::npm());
    cargo.env(SCHEMATHESIS, setup::clients::schemathesis());
    process::run_built_as_root(&mut cargo)?;
    process::run(&mut cargo)
}

/// Formatting, clippy, and the rules of the house.
pub(crate) fn lint() -> Result<()> {
    setup::run(setup::Purpose::Build)?;
    ensure_component("fmt", "rustfmt")?;
    ensure_component("clippy", "clippy")?;
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    let mut clippy = process::cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    process::run(&mut clippy)?;
    tidy::run(false)
}

/// Everything.
pub(crate) fn ci() -> Result<ExitCode> {
    lint()?;
    test(&[])?;
    demo::run(&demo::Options::default())
}

/// A small rustup profile leaves these out.
fn ensure_component(subcommand: &str, component: &str) -> Result<()> {
    let mut version = process::cargo();
    if process::output(version.args([subcommand, "--version"])).is_ok() {
        return Ok(());
    }
    process::run(Command::new("rustup").args(["component", "add", component]))
        .with_context(|| format!("{component} is not installed"))
}
