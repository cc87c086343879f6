//! Pin directories of a test's own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const ROOT: &str = "/sys/fs/bpf";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A path under the BPF file system that nobody else uses. It is not made
/// here; what is there at the end is removed, which also detaches.
#[derive(Debug)]
pub struct Pins {
    path: PathBuf,
}

impl Pins {
    /// Mounts the BPF file system where that is missing, and picks a path.
    pub fn new() -> Self {
        mount();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = format!("{ROOT}/filterd-test-{}-{number}", std::process::id());
        Self { path: path.into() }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every file below it, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.path, &mut files);
        files.sort();
        files
    }
}

impl Default for Pins {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // Nothing can be done about what cannot be removed.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

fn mount() {
    use nix::mount::{MsFlags, mount};
    use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let kind = statfs(ROOT).map(|found| found.filesystem_type());
        if kind != Ok(BPF_FS_MAGIC) {
            mount(Some("bpf"), ROOT, Some("bpf"), MsFlags::empty(), None::<&str>)
                .expect("the BPF file system can be mounted (root)");
        }
    });
}
