//! Threads that answer, and threads that work long and give way to them.
//!
//! Who asks for shorter slices of time takes the place of whoever asks for
//! longer ones as soon as it wakes up, since Linux 6.12; before, nobody reads
//! them. Without that a thread that wakes up behind one that computes waits for
//! a tick of the clock, and a change is passed on by several.

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

/// The longest slice that there is, in nanoseconds.
const LONG_SLICE_NS: u64 = 100_000_000;

/// The shortest one.
const SHORT_SLICE_NS: u64 = 100_000;

/// Has the calling thread, and all that it starts, run as soon as there is
/// something to answer.
pub(crate) fn answer_at_once() {
    set(nice(), SHORT_SLICE_NS);
}

/// Makes the calling thread give way to others.
pub(crate) fn give_way(patience: Patience) {
    let nice = match patience {
        Patience::Some => 5,
        Patience::Endless => 19,
    };
    set(nice, LONG_SLICE_NS);
}

/// Does what takes long on a thread that answers: meanwhile it gives way.
pub(crate) fn at_length<T>(work: impl FnOnce() -> T) -> T {
    set(nice(), LONG_SLICE_NS);
    let done = work();
    answer_at_once();
    done
}

fn nice() -> i32 {
    // SAFETY: reads a number of the calling thread, and cannot fail.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
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
        tracing::debug!(%error, "a thread keeps the priority that it has");
    }
}
