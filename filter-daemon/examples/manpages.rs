//! Writes the manual pages of filterd and filterctl into a folder, one page a
//! command and one a task. `cargo xtask install` runs it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap_mangen::Man;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).context("name a folder")?;
    fs::create_dir_all(&folder)?;
    // A daemon is for the administrator: section 8.
    Man::new(filter_daemon::daemon::command()).section("8").generate_to(&folder)?;
    clap_mangen::generate_to(filter_daemon::cli::command(), &folder)?;
    Ok(())
}
