//! Files that somebody else writes: whether they are to be read again, told
//! without reading them.
//!
//! They are due when they differ from what was read last, and nobody wrote them
//! between two looks.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Files that are read together.
#[derive(Debug)]
pub(super) struct Watched {
    paths: Vec<PathBuf>,
    /// As they were at the last look.
    seen: Stamp,
    /// As they were when they were read last.
    read: Option<Stamp>,
}

/// All files as they are at one moment. Links are followed: renewal programs
/// change where a link leads.
type Stamp = Vec<Option<FileStamp>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
    written: (i64, i64),
}

impl Watched {
    /// Files that are due at the first look, unless they change until then.
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        let seen = stamp(&paths);
        Self { paths, seen, read: None }
    }

    /// Looks whether they are to be read now, and does so then.
    pub(super) fn read_if_due<T, E>(
        &mut self,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let now = stamp(&self.paths);
        let is_settled = self.seen == now;
        self.seen = now;
        let are_due = is_settled && self.read.as_ref() != Some(&self.seen);
        are_due.then(|| self.read(read))
    }

    /// Reads them, whether or not somebody is writing. After a failure they are
    /// due at the next look: its reason may not be in them.
    pub(super) fn read<T, E>(&mut self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let content = read();
        self.read = content.is_ok().then(|| self.seen.clone());
        content
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.paths.iter().map(|path| path.to_string_lossy()).collect();
        f.write_str(&paths.join(", "))
    }
}

fn stamp(paths: &[PathBuf]) -> Stamp {
    paths.iter().map(|path| FileStamp::of(path)).collect()
}

impl FileStamp {
    /// None where no file is.
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            changed: (file.ctime(), file.ctime_nsec()),
            written: (file.mtime(), file.mtime_nsec()),
        })
    }
}
