//! `cargo xtask install`: builds the release and puts it in place.
//!
//! Owns the layout of an installed tree. Does the same thing however often it
//! runs, and never writes over a configuration that somebody may have edited.

mod layout;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{process, setup, workspace};
use layout::{Item, Layout};

/// Where to put things.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Install below this folder, as packagers do, instead of on this machine
    #[arg(long, value_name = "DIR")]
    destdir: Option<PathBuf>,

    /// Where programs, manual pages and completions go
    #[arg(long, value_name = "DIR", default_value = layout::DEFAULT_PREFIX)]
    prefix: PathBuf,
}

/// Builds the release, puts it in place, says what went where and what comes
/// next.
pub(crate) fn run(options: &Options) -> Result<()> {
    for item in place_all(options)? {
        let verb = if item.is_kept { "kept     " } else { "installed" };
        println!("{verb}  {}", item.target.display());
    }
    if options.destdir.is_none() {
        print!("{NEXT}");
    }
    Ok(())
}

/// The same below a folder, for those who only need it to be there.
pub(crate) fn below(destdir: &Path) -> Result<()> {
    let prefix = layout::DEFAULT_PREFIX.into();
    let placed = place_all(&Options { destdir: Some(destdir.to_owned()), prefix })?;
    println!("installed {} files below {}", placed.len(), destdir.display());
    Ok(())
}

/// Where a file went.
struct Placed {
    target: PathBuf,
    is_kept: bool,
}

fn place_all(options: &Options) -> Result<Vec<Placed>> {
    setup::run(setup::Purpose::Build)?;
    let layout = Layout::new(&options.prefix, &build()?)?;
    let mut placed = Vec::new();
    for item in &layout.items {
        let target = destination(options, &item.target);
        let is_kept = item.keep_existing && target.exists();
        if !is_kept {
            place(options, item, &target)?;
        }
        placed.push(Placed { target, is_kept });
    }
    Ok(placed)
}

const NEXT: &str = "
Next:
  systemctl daemon-reload
  $EDITOR /etc/filterd/filterd.toml       # which interfaces; a fail-safe source for yourself
  filterd --check                         # reads the file and says what is wrong with it
  systemctl enable --now filterd
  filterctl status
  filterctl app create web --scope port=443,protocol=tcp
";

/// What a build leaves, ready to be put in place.
#[derive(Debug)]
struct Built {
    /// Folder of the binaries.
    binaries: PathBuf,
    /// Folder of what the binaries generated.
    generated: PathBuf,
}

fn build() -> Result<Built> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--package", "filter-daemon"]);
    process::run(cargo.args(["--bins", "--example", "manpages"]))?;
    let binaries = workspace::target().join("release");
    let generated = workspace::target().join("install");
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    let man = generated.join("man");
    fs::create_dir_all(&man)?;
    process::run(Command::new(binaries.join("examples/manpages")).arg(&man))?;
    for shell in layout::SHELLS {
        let mut filterctl = Command::new(binaries.join("filterctl"));
        let script = process::output(filterctl.args(["completions", shell]))?;
        fs::write(generated.join(shell), script)?;
    }
    Ok(Built { binaries, generated })
}

fn destination(options: &Options, target: &Path) -> PathBuf {
    match &options.destdir {
        Some(destdir) => destdir.join(target.strip_prefix("/").unwrap_or(target)),
        None => target.to_owned(),
    }
}

/// `install` replaces a running program's file instead of writing into it.
fn place(options: &Options, item: &Item, target: &Path) -> Result<()> {
    let mut install = match options.destdir {
        Some(_) => Command::new("install"),
        None => process::as_root("install")?,
    };
    install.arg("-D").arg("-m").arg(item.mode).arg(&item.source).arg(target);
    process::run(&mut install).with_context(|| format!("cannot install {}", target.display()))
}
