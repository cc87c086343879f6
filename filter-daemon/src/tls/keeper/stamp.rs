//! What tells that a pair of files was changed, without reading them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::tls::PairFiles;

/// Both files as they are at one moment. Links are followed: renewal programs
/// change where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    certificate: Option<FileStamp>,
    key: Option<FileStamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
    written: (i64, i64),
}

impl Stamp {
    pub(super) fn of(files: &PairFiles) -> Self {
        Self { certificate: FileStamp::of(&files.certificate), key: FileStamp::of(&files.key) }
    }
}

impl FileStamp {
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
