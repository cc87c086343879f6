//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The top of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    // Cargo reads a relative one from where it is started, and so do we.
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// What is installed beside the binaries.
pub(crate) fn dist() -> PathBuf {
    root().join("filter-daemon/dist")
}
