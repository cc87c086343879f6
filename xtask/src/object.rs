//! `cargo xtask build-ebpf`.

use std::env::consts::ARCH;
use std::fs;

use anyhow::Result;

use crate::{bpf_object, route, setup, workspace};

/// Builds the BPF object, and says what it is.
pub(crate) fn build() -> Result<()> {
    setup::run(setup::Purpose::Build)?;
    let root = workspace::root();
    let route = route::choose(root)?;
    let object = bpf_object::build(root, &workspace::target().join("ebpf"), ARCH, &route)?;
    println!("object     {}", object.path.display());
    println!("bytes      {}", fs::metadata(&object.path)?.len());
    println!("sha256     {}", object.digest);
    println!("toolchain  {}", object.toolchain);
    Ok(())
}
