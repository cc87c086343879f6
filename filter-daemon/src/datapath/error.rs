//! What can go wrong between user space and the kernel.

use std::io;
use std::path::PathBuf;

use super::diagnosis;

/// Why the kernel does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum DatapathError {
    /// The kernel is too old.
    #[error("Linux {found} is too old: filterd needs Linux 6.1 or later")]
    Kernel {
        /// The running kernel's release.
        found: String,
    },
    /// The pin directory is not on a BPF file system.
    #[error(
        "{0} is not a folder in a BPF file system: mount one with `mount -t bpf bpf /sys/fs/bpf`, and set paths.pins to a folder of its own in it, such as /sys/fs/bpf/filterd"
    )]
    NotBpffs(PathBuf),
    /// Another daemon works there.
    #[error(
        "{0} is in use by another filterd: stop that one, or name another directory in paths.pins"
    )]
    InUse(PathBuf),
    /// A file under the pin directory.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The program or its maps were refused.
    #[error("the kernel refuses the program: {reason}{}", diagnosis::hint(*.denied))]
    Load {
        /// What aya and the verifier said.
        reason: String,
        /// Whether it was a matter of permission.
        denied: bool,
    },
    /// A map operation.
    #[error("{operation} of BPF map {map} failed: {reason}")]
    Map {
        /// What was tried.
        operation: &'static str,
        /// On which map.
        map: String,
        /// What the kernel said.
        reason: String,
    },
    /// What was read back is not what was written.
    #[error(
        "BPF map {map} does not hold what was written to it ({subject}): the change is not in force"
    )]
    ReadBack {
        /// Which map.
        map: &'static str,
        /// What differs.
        subject: String,
    },
    /// More lists than places.
    #[error("no place is left for another list in the kernel: {limit} lists of a family fit")]
    NoPlace {
        /// How many fit.
        limit: u32,
    },
    /// A list that does not fit a trie.
    #[error("a list of {entries} prefixes does not fit the kernel's table of {limit}")]
    ListTooLong {
        /// How many prefixes.
        entries: usize,
        /// How many fit.
        limit: u32,
    },
    /// Nothing may be attached yet.
    #[error("the maps hold no policy yet: nothing is attached before they do")]
    Incomplete,
    /// A pinned link.
    #[error("pinned link {path}: {reason}")]
    Link {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl DatapathError {
    pub(super) fn map(
        operation: &'static str,
        map: &str,
    ) -> impl FnOnce(aya::maps::MapError) -> Self {
        let map = map.to_owned();
        move |error| Self::Map { operation, map, reason: chain(&error) }
    }
}

/// An error with all of its causes, in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup_by(|later, earlier| earlier.ends_with(later.as_str()));
    texts.join(": ")
}
