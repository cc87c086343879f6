//! The BPF toolchain: a compiler with `core` for the BPF target, and the
//! linker that matches its LLVM.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{apt, say};
use crate::process;
use crate::route::{self, Choice, Core, LINKER_VERSION};
use crate::workspace;

/// The LLVM releases that the linker can be built with.
const LINKER_LLVMS: [u32; 3] = [21, 22, 23];

const DEBIAN_COMPILER: [(&str, &str); 2] = [
    ("rustc-web", "a Rust compiler that has `core` for BPF; rustup's stays as it is"),
    ("libstd-rust-web-dev-bpf", "that `core`"),
];

/// Finds one of the routes that the knob allows, or makes one.
pub(super) fn ensure_toolchain() -> Result<()> {
    let cores = Choice::from_env()?.cores();
    let core = match cores.iter().copied().find(|core| core.is_ready()) {
        Some(core) => core,
        None => install_core(cores)?,
    };
    match route::linker(workspace::root()) {
        Some(_) => Ok(()),
        None => install_linker(core),
    }
}

fn install_core(cores: &[Core]) -> Result<Core> {
    if cores.contains(&Core::Debian) && DEBIAN_COMPILER.iter().all(|(name, _)| apt::knows(name)) {
        apt::install_packages(&DEBIAN_COMPILER)?;
        return ready(Core::Debian);
    }
    if cores.contains(&Core::Nightly) && process::find("rustup").is_some() {
        say("installing a rustup nightly with rust-src: builds `core` for BPF");
        process::run(Command::new("rustup").args([
            "toolchain",
            "install",
            "nightly",
            "--profile",
            "minimal",
            "--component",
            "rust-src",
        ]))?;
        return ready(Core::Nightly);
    }
    bail!(
        "the BPF program needs a compiler with `core` for BPF, and {}={:?} leads to none here: \
         either Debian's packages rustc-web and libstd-rust-web-dev-bpf, or rustup \
         (`rustup toolchain install nightly --component rust-src`)",
        route::KNOB,
        Choice::from_env()?,
    )
}

fn ready(core: Core) -> Result<Core> {
    if !core.is_ready() {
        bail!(
            "the {core:?} compiler is installed, but its `core` for BPF is not where it should be"
        );
    }
    Ok(core)
}

fn install_linker(core: Core) -> Result<()> {
    let least = llvm_of(core)?;
    let llvm = llvm_for(least)?;
    let tools = route::tools(workspace::root());
    say(&format!(
        "building bpf-linker {LINKER_VERSION} with LLVM {llvm} into {}: links the BPF program \
         (a minute or two)",
        tools.display()
    ));
    let mut cargo = process::cargo();
    cargo
        // Two build scripts look for LLVM, each by a variable of its own.
        .env(format!("LLVM_SYS_{llvm}1_PREFIX"), prefix(llvm))
        .env("LLVM_PREFIX", prefix(llvm))
        .args(["install", "--quiet", "--locked", "bpf-linker", "--version", LINKER_VERSION])
        .args(["--no-default-features", "--features", &format!("llvm-{llvm}"), "--root"])
        .arg(&tools);
    process::run(&mut cargo)
}

/// The linker reads what the compiler's LLVM wrote, so its own may be newer
/// but not older.
fn llvm_for(least: u32) -> Result<u32> {
    let fitting = || LINKER_LLVMS.into_iter().filter(|llvm| *llvm >= least);
    if let Some(llvm) = fitting().find(|llvm| has_headers(*llvm)) {
        return Ok(llvm);
    }
    let Some(llvm) = fitting().find(|llvm| apt::knows(&format!("llvm-{llvm}-dev"))) else {
        bail!(
            "no package brings the headers of LLVM {least} or later: install bpf-linker \
             {LINKER_VERSION} by hand, then run this again"
        );
    };
    apt::install_packages(&[
        (&format!("llvm-{llvm}-dev"), "bpf-linker is built on it"),
        (&format!("libclang-{llvm}-dev"), "bpf-linker is built on it"),
        ("g++", "bpf-linker links C++"),
    ])?;
    Ok(llvm)
}

fn has_headers(llvm: u32) -> bool {
    Path::new(&prefix(llvm)).join("include/llvm-c").is_dir()
}

fn prefix(llvm: u32) -> String {
    format!("/usr/lib/llvm-{llvm}")
}

fn llvm_of(core: Core) -> Result<u32> {
    let facts = process::output(core.rustc().arg("-vV"))?;
    facts
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: ")?.split('.').next()?.parse().ok())
        .with_context(|| format!("the {core:?} compiler does not name its LLVM"))
}
