//! Which CPU a thread runs on, and what the kernel does there besides.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// What is measured runs here.
pub const MEASURED: usize = 0;

/// What watches it, or gives it work, runs here, where there is a second CPU.
pub const WATCHING: usize = 1;

/// Keeps the calling thread on a CPU, if there is one of the number.
pub fn stay_on(cpu: usize) {
    let mut one = CpuSet::new();
    if one.set(cpu).is_ok() {
        // On a machine with fewer CPUs the thread shares the others.
        let _ = sched_setaffinity(Pid::from_raw(0), &one);
    }
}

/// How long the kernel's thread for deferred network work has run on a CPU. It
/// sees to frames that arrive while others wait for the CPU.
pub fn deferred_work(cpu: usize) -> Result<Duration> {
    let thread = kernel_thread(&format!("ksoftirqd/{cpu}"))?;
    let facts = fs::read_to_string(thread.join("schedstat"))?;
    let ns = facts.split(' ').next().and_then(|ns| ns.parse().ok());
    ns.map(Duration::from_nanos).context("the kernel says how long a thread has run")
}

fn kernel_thread(name: &str) -> Result<PathBuf> {
    let mut processes = fs::read_dir("/proc")?.flatten().map(|process| process.path());
    let is_it = |process: &PathBuf| {
        fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    processes.find(is_it).with_context(|| format!("there is no thread {name}"))
}
