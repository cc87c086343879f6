//! The image of Linux 6.1, the oldest kernel that filterd works on, for the
//! machine that tests emulate. Taken out of its package; never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{apt, say};
use crate::{process, workspace};

/// The package that names the newest kernel of the release, and how the name
/// begins if that is a 6.1, as in Debian 12.
const NEWEST: &str = "linux-image-cloud-amd64";
const WANTED: &str = "linux-image-6.1.";

/// Where it is kept.
pub(crate) fn image() -> PathBuf {
    workspace::root().join("target/linux-6.1/vmlinuz")
}

/// Fetches it once.
pub(super) fn fetch() -> Result<()> {
    let image = image();
    if image.exists() {
        return Ok(());
    }
    let Some(package) = package() else {
        say("no package here brings Linux 6.1 (Debian 12 has one): its test will fail");
        return Ok(());
    };
    say(&format!(
        "fetching {package} (27 MB) into {}, not installing it: the tests load the program into \
         this kernel",
        image.display()
    ));
    let folder = image.parent().expect("it lies in a folder");
    fs::create_dir_all(folder)?;
    let scratch = tempfile::tempdir_in(folder)?;
    download(&package, scratch.path())?;
    fs::rename(named(&scratch.path().join("boot"), "vmlinuz-")?, &image)?;
    Ok(())
}

fn package() -> Option<String> {
    if !apt::knows(NEWEST) {
        return None;
    }
    let mut depends = Command::new("apt-cache");
    let text = process::output(depends.env("LC_ALL", "C").args(["depends", NEWEST])).ok()?;
    let packages = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    packages.filter(|name| name.starts_with(WANTED)).map(str::to_owned).next()
}

/// Downloads a package into a folder and unpacks it there.
fn download(package: &str, folder: &Path) -> Result<()> {
    let mut apt = Command::new("apt-get");
    // The folder is ours alone, so apt's own user cannot write to it.
    apt.args(["--quiet", "--quiet", "-o", "APT::Sandbox::User=root", "download", package]);
    process::run(apt.current_dir(folder))?;
    let file = named(folder, package)?;
    process::run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(folder))
}

fn named(folder: &Path, start: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries
        .into_iter()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(start))
        .map(|entry| entry.path())
        .with_context(|| format!("{} holds no {start}", folder.display()))
}
