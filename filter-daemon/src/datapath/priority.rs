//! Threads that work long and give way to those that judge, serve and answer.

/// How much a thread gives way. A thread never gets its old priority back, so
/// only threads that end with their work say so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// Somebody waits for its work.
    Some,
    /// Nobody does.
    Endless,
}

/// Makes the calling thread give way to others.
pub(super) fn give_way(patience: Patience) {
    let niceness = match patience {
        Patience::Some => 5,
        Patience::Endless => 19,
    };
    // SAFETY: sets a number of the calling thread (0: the caller) alone.
    let refused = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, niceness) } != 0;
    if refused {
        let error = std::io::Error::last_os_error();
        tracing::debug!(%error, "long work is done at ordinary priority");
    }
}
