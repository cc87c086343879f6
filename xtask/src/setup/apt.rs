//! Installing packages on Debian and Ubuntu, without a question.

use std::sync::Once;

use anyhow::{Context as _, Result, bail};

use super::need::Need;
use super::say;
use crate::process;

/// Installs what is missing, having said why.
pub(super) fn install(missing: &[&Need]) -> Result<()> {
    let wanted: Vec<(&str, &str)> =
        missing.iter().map(|need| (need.package, need.reason)).collect();
    install_packages(&wanted)
}

/// Installs packages, each with its reason.
pub(super) fn install_packages(wanted: &[(&str, &str)]) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    for (package, reason) in wanted {
        say(&format!("installing {package}: {reason}"));
    }
    let mut packages: Vec<&str> = wanted.iter().map(|(package, _)| *package).collect();
    packages.sort_unstable();
    packages.dedup();
    if process::find("apt-get").is_none() {
        bail!(
            "this is neither Debian nor Ubuntu (no apt-get): install by hand what these packages \
             hold there: {}",
            packages.join(" ")
        );
    }
    update_once();
    apt_get(&["install", "--no-install-recommends"], &packages)
        .with_context(|| format!("cannot install {}", packages.join(" ")))
}

/// Whether the package lists know a package. Refreshes them first.
pub(super) fn knows(package: &str) -> bool {
    if process::find("apt-cache").is_none() {
        return false;
    }
    update_once();
    let mut policy = std::process::Command::new("apt-cache");
    process::output(policy.env("LC_ALL", "C").args(["policy", package]))
        .is_ok_and(|text| text.contains("Candidate:") && !text.contains("Candidate: (none)"))
}

fn update_once() {
    static UPDATED: Once = Once::new();
    UPDATED.call_once(|| {
        say("refreshing the package lists");
        // A dead source of somebody else's is no reason to stop: what cannot
        // be installed says so itself.
        if let Err(error) = apt_get(&["update"], &[]) {
            say(&format!("{error:#}; going on with the lists as they are"));
        }
    });
}

fn apt_get(task: &[&str], packages: &[&str]) -> Result<()> {
    let mut command = process::as_root("env")?;
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--quiet", "--yes"])
        .args(["-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"])
        .args(task)
        .args(packages);
    process::run(&mut command)
}
