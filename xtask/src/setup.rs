//! `cargo xtask setup`: installs what is missing on this machine.
//!
//! Owns the list of what the project needs. Says what it installs and why,
//! and says nothing when nothing is missing. Every other task calls it first.

mod apt;
mod bpf;
pub(crate) mod clients;
pub(crate) mod kernel;
mod need;

use std::process::Command;

use anyhow::Result;
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use crate::process;
use need::Need;

/// What the machine is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Building and installing.
    Build,
    /// Running the demo as well.
    Demo,
    /// Running the tests as well.
    Test,
    /// Comparing with other filters as well.
    Bench,
}

const BPF_FILE_SYSTEM: &str = "/sys/fs/bpf";

/// Installs what is missing for a purpose.
pub(crate) fn run(purpose: Purpose) -> Result<()> {
    let missing: Vec<&Need> =
        need::NEEDS.iter().filter(|need| need.purpose <= purpose && !need.is_met()).collect();
    let (known, unknown): (Vec<&Need>, Vec<&Need>) = missing
        .into_iter()
        .partition(|need| need.purpose != Purpose::Test || apt::knows(need.package));
    for need in unknown {
        say(&format!(
            "there is no package {} here, which {}: tests will fail",
            need.package, need.reason
        ));
    }
    apt::install(&known)?;
    bpf::ensure_toolchain()?;
    if purpose >= Purpose::Demo {
        mount_bpf_file_system()?;
    }
    if purpose == Purpose::Test {
        kernel::fetch()?;
        clients::install()?;
    }
    Ok(())
}

fn mount_bpf_file_system() -> Result<()> {
    if statfs(BPF_FILE_SYSTEM).is_ok_and(|facts| facts.filesystem_type() == BPF_FS_MAGIC) {
        return Ok(());
    }
    say(&format!("mounting the BPF file system at {BPF_FILE_SYSTEM}: pinned filters live there"));
    let mut mount: Command = process::as_root("mount")?;
    process::run(mount.args(["-t", "bpf", "-o", "mode=0700", "bpf", BPF_FILE_SYSTEM]))
}

fn say(text: &str) {
    eprintln!("setup: {text}");
}
