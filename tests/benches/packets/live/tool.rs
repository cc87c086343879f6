//! Running the tools of the other filters, inside a namespace.

use std::io::{Seek as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use filter_tests::deadline::within;
use filter_tests::namespace::Namespace;

/// How long a filter may take to take a list.
const PATIENCE: Duration = Duration::from_secs(300);

/// A command line, split at spaces, as a command that will run inside.
pub(crate) fn command(host: &Namespace, line: &str) -> Command {
    let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
    let mut command = host.command(program);
    command.args(arguments.split_ascii_whitespace());
    command
}

/// Runs a command with a text to read; nothing when it is not done in time.
pub(crate) fn feed(mut command: Command, text: &str) -> Result<Option<()>> {
    let mut input = tempfile::tempfile()?;
    input.write_all(text.as_bytes())?;
    input.rewind()?;
    let mut said = tempfile::tempfile()?;
    let mut child = command
        .env("LC_ALL", "C")
        .stdin(input)
        .stdout(Stdio::null())
        .stderr(said.try_clone()?)
        .spawn()?;
    let Some(status) = within(PATIENCE, || child.try_wait().transpose()) else {
        end(&mut child)?;
        return Ok(None);
    };
    if !status?.success() {
        said.rewind()?;
        bail!("{command:?}: {}", std::io::read_to_string(said)?.trim_end());
    }
    Ok(Some(()))
}

/// Runs a command; it must succeed.
pub(crate) fn run(command: Command) -> Result<()> {
    let text = format!("{command:?}");
    feed(command, "")?.with_context(|| format!("{text}: not done after {PATIENCE:?}"))
}

fn end(child: &mut Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// That a list was not taken in time.
pub(crate) fn too_slow() -> String {
    format!("not taken after {PATIENCE:?}")
}

/// Gives the host's interface a queue of its own without XDP, as network cards
/// have one: redirected frames are refused where there is none.
pub(crate) fn enable_queue(host: &Namespace, interface: &str) -> Result<()> {
    run(command(host, &format!("ethtool -K {interface} gro on")))
}
