//! The first API key: made when a host starts for the first time, and left in
//! a file that only root can read.
//!
//! Not in the log: a log is copied, kept and read by others. On a terminal it
//! is printed as well.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use super::NewSecret;
use super::secret::public_half;
use crate::caller::Caller;
use crate::command::{Command, KeyCommand, NewKey, Request, Terms};
use crate::private_file;
use crate::store::{Handle, StoreError};

/// The file's name in the state directory.
pub const FILE: &str = "first-key";

/// Why there is no first key. `filterctl key create` makes one at any time.
#[derive(Debug, thiserror::Error)]
pub enum FirstKeyError {
    /// The file cannot be written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the first key if nothing was ever changed. The file is there first:
/// a key whose private half is in no file would be of no use.
pub async fn make_first(store: &Handle, directory: &Path) -> Result<(), FirstKeyError> {
    if store.state().revision != 0 {
        return Ok(());
    }
    let (public, private) = (public_half(), NewSecret::private_half());
    let path = directory.join(FILE);
    let text = text(&public, private.text());
    private_file::write(&path, text.as_bytes())
        .map_err(|source| FirstKeyError::File { path: path.clone(), source })?;
    let key = NewKey {
        public: public.into(),
        secret: private.hash(),
        description: "made on the first start".to_owned(),
        sources: Vec::new(),
    };
    let command = Command::Key(KeyCommand::Create { key });
    let (caller, terms) = (Caller::daemon(), Terms::default());
    store.execute(Request { command, caller, terms }).await?;
    tracing::info!(path = %path.display(), "made the first API key; it is in this file: move it away");
    if io::stderr().is_terminal() {
        eprint!("{text}");
    }
    Ok(())
}

fn text(public: &str, private: &str) -> String {
    format!(
        "# The first API key of this host. Whoever has both halves can change every\n\
         # list over the Admin API. Take it where it is needed, and delete this file;\n\
         # `filterctl key create` makes another one.\n\
         public_key = \"{public}\"\n\
         private_key = \"{private}\"\n"
    )
}
