//! Puts the BPF object into the daemon.
//!
//! Builds the `filter-ebpf` crate and hands the daemon three facts, read with
//! `env!`: `FILTERD_BPF_OBJECT` (path of the object), `FILTERD_BPF_DIGEST`
//! (its SHA-256 in hex) and `FILTERD_BPF_TOOLCHAIN_USED` (what built it). The
//! one knob is the environment variable `FILTERD_BPF_TOOLCHAIN`.
//!
//! Invariant: a build without a BPF toolchain fails and says what to install;
//! it never yields a daemon without its program.

#[path = "build/object.rs"]
mod object;
#[path = "build/route.rs"]
mod route;

use std::path::Path;

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().context("the package lies in the workspace")?;
    for watched in
        ["filter-ebpf", "filter-common", "filter-daemon/build", "Cargo.toml", "Cargo.lock"]
    {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed={}", package.join("build.rs").display());
    println!("cargo::rerun-if-env-changed={}", route::KNOB);

    let route = route::choose(root)?;
    println!("cargo::rerun-if-changed={}", route.linker.display());
    if route.core == route::Core::Debian {
        println!("cargo::rerun-if-changed={}", route::DEBIAN_RUSTC);
    }
    let out = std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?;
    let arch =
        std::env::var("CARGO_CFG_TARGET_ARCH").context("cargo sets CARGO_CFG_TARGET_ARCH")?;
    let object =
        object::build(root, &Path::new(&out).join("ebpf"), object::SHIPPED, &arch, &route)?;
    println!("cargo::rustc-env=FILTERD_BPF_OBJECT={}", object.path.display());
    println!("cargo::rustc-env=FILTERD_BPF_DIGEST={}", object.digest);
    println!("cargo::rustc-env=FILTERD_BPF_TOOLCHAIN_USED={}", object.toolchain);
    Ok(())
}
