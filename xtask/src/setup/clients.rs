//! Programs of others that the tests use as clients of the Admin API, kept
//! below `target`: an npm package, and schemathesis in a Python environment of
//! its own. Both are pinned with everything that they need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::say;
use crate::{process, workspace};

/// Debian's own: what is first on the PATH may lack what makes environments.
const PYTHON: &str = "/usr/bin/python3";

/// The file that pins, as it was when what is there was installed.
const MARK: &str = "installed";

/// The npm client's folder.
pub(crate) fn npm() -> PathBuf {
    workspace::target().join("clients/npm")
}

/// The schemathesis program.
pub(crate) fn schemathesis() -> PathBuf {
    environment().join("bin/schemathesis")
}

/// Installs both, unless they are there as pinned.
pub(super) fn install() -> Result<()> {
    let pinned = workspace::root().join("tests/clients");
    let lock = pinned.join("npm/package-lock.json");
    once(&npm(), &lock, |folder| {
        say("installing the npm client of the Admin API: the tests use it");
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join("npm").join(file), folder.join(file))?;
        }
        let mut npm = Command::new("npm");
        npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        process::run(npm.arg("--loglevel=error"))
    })?;
    let requirements = pinned.join("schemathesis/requirements.txt");
    once(&environment(), &requirements, |folder| {
        say("installing schemathesis: the tests have it try the Admin API");
        process::run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        process::run(pip.arg(&requirements))
    })
}

fn environment() -> PathBuf {
    workspace::target().join("clients/schemathesis")
}

/// Installs into a folder what a file pins, unless that was done.
fn once(folder: &Path, pinned: &Path, install: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let wanted = fs::read(pinned).with_context(|| format!("cannot read {}", pinned.display()))?;
    let mark = folder.join(MARK);
    if fs::read(&mark).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    install(folder)?;
    fs::write(&mark, wanted)?;
    Ok(())
}
