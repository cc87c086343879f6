//! The state directory and the lock on it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::error::OpenError;

/// The database's file; its journal's name begins with it.
pub(super) const DATABASE: &str = "filterd.db";

const LOCK: &str = "lock";

/// What else the daemon keeps beside the database.
const OTHERS: [&str; 6] =
    [LOCK, "ca.pem", "ca.key", "server.pem", "proxy.pem", crate::auth::FIRST_KEY_FILE];

/// Held for as long as the store is open; the kernel lets go of it when the
/// process ends, however it ends.
pub(super) type Lock = Flock<File>;

/// Makes sure that the directory is ours alone, and takes the lock in it.
pub(super) fn claim(directory: &Path) -> Result<Lock, OpenError> {
    let failed = |source| OpenError::Directory { path: directory.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let metadata = directory.metadata().map_err(failed)?;
    let user = nix::unistd::geteuid().as_raw();
    if metadata.uid() != user {
        return Err(OpenError::Owner { path: directory.to_owned(), owner: metadata.uid(), user });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        // It is closed only when it is ours alone: it could be /var/lib.
        if !holds_only_ours(directory).map_err(failed)? {
            return Err(OpenError::Exposed { path: directory.to_owned(), mode });
        }
        fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    lock(directory)
}

fn holds_only_ours(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let is_database = name.as_encoded_bytes().starts_with(DATABASE.as_bytes());
        if !is_database && !OTHERS.iter().any(|ours| name == **ours) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(directory: &Path) -> Result<Lock, OpenError> {
    let path = directory.join(LOCK);
    let failed = |source| OpenError::File { path: path.clone(), source };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(&path)
        .map_err(failed)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            write_pid(&mut lock).map_err(failed)?;
            Ok(lock)
        }
        Err((mut file, Errno::EWOULDBLOCK)) => {
            Err(OpenError::Held { path: directory.to_owned(), pid: read_pid(&mut file) })
        }
        Err((_, errno)) => Err(failed(errno.into())),
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    match writeln!(file, "{}", std::process::id()) {
        // The pid is there for people; the lock holds without it.
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
        written => written,
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
