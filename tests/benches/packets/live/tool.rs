//! Running the tools of the other filters, inside a namespace.

use std::io::{Seek as _, Write as _};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use filter_tests::deadline::within;
use filter_tests::namespace::Namespace;

/// How long a filter may take to take a list.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a command line, split at spaces, with a text to read; nothing when it
/// is not done in time.
pub(crate) fn feed(host: &Namespace, line: &str, text: &str) -> Result<Option<()>> {
    let mut input = tempfile::tempfile()?;
    input.write_all(text.as_bytes())?;
    input.rewind()?;
    let mut said = tempfile::tempfile()?;
    let mut words = line.split_ascii_whitespace();
    let mut child = host
        .command(words.next().context("a line has a first word")?)
        .args(words)
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
        bail!("{line}: {}", std::io::read_to_string(said)?.trim_end());
    }
    Ok(Some(()))
}

/// Runs a command line; it must succeed.
pub(crate) fn run(host: &Namespace, line: &str) -> Result<()> {
    feed(host, line, "")?.with_context(|| format!("{line}: not done after {PATIENCE:?}"))
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
    run(host, &format!("ethtool -K {interface} gro on"))
}
