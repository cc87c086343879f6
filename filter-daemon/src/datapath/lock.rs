//! The lock on a pin directory.

use std::fs::File;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::{DatapathError, file_error};

/// Keeps other daemons off a pin directory while it lives.
pub(super) type PinLock = Flock<File>;

/// Takes the lock, or says who is in the way. The kernel gives it back when
/// the process ends, however it ends.
pub(super) fn take(pins: &Path) -> Result<PinLock, DatapathError> {
    let directory = File::open(pins).map_err(file_error("open", pins))?;
    match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, Errno::EWOULDBLOCK)) => Err(DatapathError::InUse(pins.to_owned())),
        Err((_, errno)) => Err(file_error("lock", pins)(errno.into())),
    }
}
