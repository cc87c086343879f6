//! Builds the BPF object.
//!
//! A cargo of its own runs below the caller's, with a target directory of its
//! own (cargo locks that) and none of the caller's flags, so that the object
//! depends on its sources and its toolchain alone. Shared by the daemon's
//! build script and `cargo xtask build-ebpf`.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::route::{Core, DEBIAN_RUSTC, LINKER_VERSION, Route, TARGET};

/// A built object.
#[derive(Debug)]
pub(crate) struct Object {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// SHA-256 of its bytes, in hex.
    pub(crate) digest: String,
    /// What built it.
    pub(crate) toolchain: String,
}

/// The object that filterd ships.
pub(crate) const SHIPPED: &str = "filterd-xdp";

/// Builds an object, by the name of its binary in `filter-ebpf`, for kernels of
/// an architecture, as Rust calls it.
pub(crate) fn build(
    root: &Path,
    target_dir: &Path,
    name: &str,
    arch: &str,
    route: &Route,
) -> Result<Object> {
    let mut cargo = cargo(route);
    cargo
        .current_dir(root)
        .args(["build", "--release", "--package", "filter-ebpf", "--bin", name])
        .args(["--target", TARGET, "--target-dir"])
        .arg(target_dir)
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &route.linker)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(root, arch).join("\u{1f}"));
    let status = cargo.status().with_context(|| format!("cannot start {cargo:?}"))?;
    if !status.success() {
        bail!("the BPF program does not build with {} ({status})", route.compiler);
    }
    let path = target_dir.join(TARGET).join("release").join(name);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Object { path, digest: hex(&Sha256::digest(&bytes)), toolchain: toolchain(route) })
}

/// Cargo with the route's compiler, and nothing of the caller's.
fn cargo(route: &Route) -> Command {
    let mut cargo = match route.core {
        Core::Debian => Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        Core::Nightly => Command::new("rustup"),
    };
    forget_caller(&mut cargo);
    match route.core {
        // aya-ebpf needs one unstable feature of the compiler.
        Core::Debian => cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1"),
        Core::Nightly => cargo.args(["run", "nightly", "cargo", "-Z", "build-std=core"]),
    };
    cargo
}

/// Takes away what the caller's cargo, clippy or rustup has set for itself.
fn forget_caller(cargo: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_callers = text.starts_with("CARGO_PROFILE_")
            || text.starts_with("CARGO_BUILD_")
            || matches!(
                text.as_ref(),
                "RUSTFLAGS"
                    | "RUSTC"
                    | "RUSTDOC"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "RUSTC_LINKER"
            );
        if is_callers {
            cargo.env_remove(&name);
        }
    }
}

/// BTF is made from the debug information. Paths are remapped so that the same
/// sources make the same object wherever they lie.
fn flags(root: &Path, arch: &str) -> Vec<String> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut flags = vec![
        format!("--cfg=bpf_target_arch=\"{arch}\""),
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        format!("--remap-path-prefix={}=filterd", root.display()),
    ];
    flags
        .extend(cargo_home.map(|folder| format!("--remap-path-prefix={}=cargo", folder.display())));
    flags
}

fn toolchain(route: &Route) -> String {
    let core = match route.core {
        Core::Debian => "the distribution's core",
        Core::Nightly => "core from rust-src",
    };
    format!("{}, {core}, bpf-linker {LINKER_VERSION}", route.compiler)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
