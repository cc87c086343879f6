//! Running other programs, as oneself or as root.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Debian keeps these off the PATH of ordinary users.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Cargo, the one that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace::root());
    command
}

/// A program that needs root: through sudo when this is not root.
pub(crate) fn as_root(program: impl AsRef<OsStr>) -> Result<Command> {
    if nix::unistd::geteuid().is_root() {
        return Ok(Command::new(program));
    }
    let name = program.as_ref().to_string_lossy().into_owned();
    let sudo = find("sudo").with_context(|| {
        format!("`{name}` needs root, and there is no sudo here: run this as root")
    })?;
    let mut command = Command::new(sudo);
    command.arg("--").arg(program);
    Ok(command)
}

/// Has cargo run what it builds as root, through sudo when this is not root.
pub(crate) fn run_built_as_root(cargo: &mut Command) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        cargo.env(runner_variable()?, "sudo --preserve-env --");
    }
    Ok(())
}

/// Where a program is, also in the folders of the system's own.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM_FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Runs it, its output being ours; it must succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", text(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", text(command));
    }
    Ok(())
}

/// Runs it and takes what it prints; it must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", text(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}\n{}", text(command), output.status, said.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} prints no text", text(command)))
}

/// The command as one would type it.
pub(crate) fn text(command: &Command) -> String {
    words(std::iter::once(command.get_program()).chain(command.get_args()))
}

/// Words as one would type them.
pub(crate) fn words(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let words: Vec<String> =
        words.into_iter().map(|word| word.as_ref().to_string_lossy().into_owned()).collect();
    words.join(" ")
}

/// The variable by which cargo is told how to run what it built for here.
fn runner_variable() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let facts = output(Command::new(&rustc).arg("-vV"))?;
    let host = facts
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names its host")?;
    Ok(format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace('-', "_")))
}
