//! `cargo xtask build-ebpf`.

use std::env::consts::ARCH;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::{bpf_object, route, setup, workspace};

/// The programs of the benchmark.
const BENCH: &str = "filterd-bench";

/// Builds the BPF object, and says what it is.
pub(crate) fn build() -> Result<()> {
    setup::run(setup::Purpose::Build)?;
    let object = build_named(bpf_object::SHIPPED)?;
    println!("object     {}", object.path.display());
    println!("bytes      {}", fs::metadata(&object.path)?.len());
    println!("sha256     {}", object.digest);
    println!("toolchain  {}", object.toolchain);
    Ok(())
}

/// Builds the programs of the benchmark; answers where the object lies.
pub(crate) fn build_bench() -> Result<PathBuf> {
    Ok(build_named(BENCH)?.path)
}

fn build_named(name: &str) -> Result<bpf_object::Object> {
    let root = workspace::root();
    let route = route::choose(root)?;
    bpf_object::build(root, &workspace::target().join("ebpf"), name, ARCH, &route)
}
