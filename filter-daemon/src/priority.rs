//! Threads that work long and give way to those that judge, serve and answer.

use std::io;
use std::mem::size_of;

/// How much a thread gives way. A thread never gets its old priority back, so
/// only threads that end with their work say so.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Somebody waits for its work.
    Some,
    /// Nobody does.
    Endless,
}

/// How long such a thread asks to run at a time, in nanoseconds: the longest
/// that there is. Whoever wakes up and asks for less takes its place at once,
/// since Linux 6.12; before, nobody reads it.
const SLICE_NS: u64 = 100_000_000;

/// How long a thread asks to run that asks for nothing.
const ANY_SLICE: u64 = 0;

/// Makes the calling thread give way to others.
pub(crate) fn give_way(patience: Patience) {
    let nice = match patience {
        Patience::Some => 5,
        Patience::Endless => 19,
    };
    set(nice, SLICE_NS);
}

/// Does what takes long: whoever wakes up meanwhile takes the calling thread's
/// place at once.
pub(crate) fn at_length<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: reads a number of the calling thread, and cannot fail.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    set(nice, SLICE_NS);
    let done = work();
    set(nice, ANY_SLICE);
    done
}

fn set(nice: i32, slice_ns: u64) {
    let attributes = libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>()).expect("it is a small structure"),
        sched_policy: libc::SCHED_OTHER.unsigned_abs(),
        sched_flags: 0,
        sched_nice: nice,
        sched_priority: 0,
        sched_runtime: slice_ns,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: reads the structure and sets numbers of the calling thread (0:
    // the caller) alone.
    let refused = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if refused != 0 {
        let error = io::Error::last_os_error();
        tracing::debug!(%error, "long work is done at ordinary priority");
    }
}
