//! Which CPU a thread runs on.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Generator and filter run here.
pub(crate) const MEASURED: usize = 0;

/// What watches runs here, where there is a second CPU.
pub(crate) const WATCHING: usize = 1;

/// Keeps the calling thread on a CPU, if there is one of the number.
pub(crate) fn stay_on(cpu: usize) {
    let mut one = CpuSet::new();
    if one.set(cpu).is_ok() {
        // On a machine with fewer CPUs the thread shares the others.
        let _ = sched_setaffinity(Pid::from_raw(0), &one);
    }
}
