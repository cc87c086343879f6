//! Which toolchain builds the BPF object, and whether it is there.
//!
//! Two routes lead to a `core` for the BPF target: the distribution's compiler
//! with a ready-made one, and a rustup nightly that builds it from `rust-src`.
//! Shared by the daemon's build script and `cargo xtask`. Looks, never
//! installs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The environment variable that chooses: `auto` (or unset), `debian`,
/// `nightly`.
pub(crate) const KNOB: &str = "FILTERD_BPF_TOOLCHAIN";

/// The one version of the linker that this project is built with.
pub(crate) const LINKER_VERSION: &str = "0.13.0";

/// What the program is compiled for. Both ends of a map are on one machine,
/// and every machine with a filterd is little-endian.
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// The distribution's compiler, beside whatever rustup has put on PATH.
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The distribution's if it is there, else nightly.
    Auto,
    /// The distribution's compiler and nothing else.
    Debian,
    /// The rustup nightly and nothing else.
    Nightly,
}

/// Where `core` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// Ready-made, beside the distribution's compiler.
    Debian,
    /// Built from the sources of the rustup nightly.
    Nightly,
}

/// A toolchain that is there, whole.
#[derive(Debug)]
pub(crate) struct Route {
    /// Where `core` comes from.
    pub(crate) core: Core,
    /// The linker of the right version.
    pub(crate) linker: PathBuf,
    /// The compiler's version line.
    pub(crate) compiler: String,
}

impl Choice {
    /// Reads the knob.
    pub(crate) fn from_env() -> Result<Self> {
        match env::var(KNOB).as_deref() {
            Err(env::VarError::NotPresent) | Ok("" | "auto") => Ok(Self::Auto),
            Ok("debian") => Ok(Self::Debian),
            Ok("nightly") => Ok(Self::Nightly),
            Ok(other) => bail!("{KNOB}={other}: use auto, debian or nightly"),
            Err(error) => bail!("{KNOB}: {error}"),
        }
    }

    /// The sources of `core` that will do, in the order of liking.
    pub(crate) fn cores(self) -> &'static [Core] {
        match self {
            Self::Auto => &[Core::Debian, Core::Nightly],
            Self::Debian => &[Core::Debian],
            Self::Nightly => &[Core::Nightly],
        }
    }
}

impl Core {
    /// A command that asks this compiler something.
    pub(crate) fn rustc(self) -> Command {
        match self {
            Self::Debian => Command::new(DEBIAN_RUSTC),
            Self::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "rustc"]);
                command
            }
        }
    }

    /// Whether `core` for the target, or its sources, are there.
    pub(crate) fn is_ready(self) -> bool {
        match self {
            Self::Debian => self
                .ask(&["--print", "target-libdir", "--target", TARGET])
                .and_then(|libraries| fs::read_dir(libraries).ok())
                .is_some_and(|files| {
                    files
                        .flatten()
                        .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
                }),
            Self::Nightly => self.ask(&["--print", "sysroot"]).is_some_and(|sysroot| {
                Path::new(&sysroot).join("lib/rustlib/src/rust/library/core").is_dir()
            }),
        }
    }

    fn ask(self, arguments: &[&str]) -> Option<String> {
        answer(self.rustc().args(arguments))
    }
}

/// The first whole toolchain that the knob allows.
pub(crate) fn choose(root: &Path) -> Result<Route> {
    let choice = Choice::from_env()?;
    let core = choice.cores().iter().copied().find(|core| core.is_ready()).with_context(|| {
        format!(
            "no toolchain can build the BPF program ({KNOB}={choice:?}): run `cargo xtask setup`.\n\
             It installs one of the two: Debian's rustc-web with libstd-rust-web-dev-bpf, or a \
             rustup nightly with rust-src"
        )
    })?;
    let linker = linker(root).with_context(|| {
        format!("bpf-linker {LINKER_VERSION} is not installed: run `cargo xtask setup`")
    })?;
    let compiler = core.ask(&["--version"]).context("the compiler has a version")?;
    Ok(Route { core, linker, compiler })
}

/// The project's own linker, or the user's if it has the right version.
pub(crate) fn linker(root: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let cargo_bin = env::home_dir().map(|home| home.join(".cargo/bin"));
    std::iter::once(tools(root).join("bin"))
        .chain(env::split_paths(&path))
        .chain(cargo_bin)
        .map(|folder| folder.join("bpf-linker"))
        .find(|file| {
            file.is_file()
                && answer(Command::new(file).arg("--version"))
                    .is_some_and(|line| line.ends_with(LINKER_VERSION))
        })
}

/// Where `cargo xtask setup` puts what it builds itself.
pub(crate) fn tools(root: &Path) -> PathBuf {
    root.join("target/tools")
}

fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
