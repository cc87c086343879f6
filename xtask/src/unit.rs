//! The systemd unit: what it says, and what systemd thinks of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{process, workspace};

/// The worst exposure that the unit may have, in tenths.
const MOST_EXPOSURE_TENTHS: &str = "25";

fn path() -> PathBuf {
    workspace::dist().join("filterd.service")
}

/// The capabilities that the unit leaves to the daemon, as `setpriv` calls
/// them.
pub(crate) fn capabilities() -> Result<Vec<String>> {
    let text = fs::read_to_string(path())?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("CapabilityBoundingSet="))
        .context("the unit bounds the capabilities")?;
    let name = |word: &str| word.trim_start_matches("CAP_").to_ascii_lowercase();
    Ok(line.split_ascii_whitespace().map(name).collect())
}

/// Lets systemd read the unit and judge its hardening.
pub(crate) fn check() -> Result<()> {
    process::output(
        Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", "--threshold", MOST_EXPOSURE_TENTHS])
            .arg(path()),
    )
    .context("the unit is less hardened than it was")?;
    Ok(())
}
