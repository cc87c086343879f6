//! What is wrong with a file, in words that say what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The path of the key, such as `interface[0].mode`; empty when the text
    /// itself is no TOML.
    pub key: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file does not exist.
    #[error(
        "{}: there is no such file: write one that names the interfaces to filter on, such as\n\n[[interface]]\nname = \"eth0\"\n\nor name another file by --config",
        .path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not text.
    #[error("{}: is not UTF-8 text: {source}", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where it stops being text.
        source: std::str::Utf8Error,
    },
    /// The file says something that cannot be.
    #[error("{}", Listing(path, faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it, by line.
        faults: Vec<Fault>,
    },
}

impl ConfigError {
    pub(super) fn reading(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() == std::io::ErrorKind::NotFound {
            Self::Missing { path }
        } else {
            Self::Unreadable { path, source }
        }
    }
}

/// One fault a line, each with its file and line.
struct Listing<'a>(&'a Path, &'a [Fault]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path, faults) = self;
        for (position, fault) in faults.iter().enumerate() {
            let line_end = if position == 0 { "" } else { "\n" };
            write!(f, "{line_end}{}:{}: ", path.display(), fault.line)?;
            if !fault.key.is_empty() {
                write!(f, "{}: ", fault.key)?;
            }
            f.write_str(&fault.text)?;
        }
        Ok(())
    }
}
