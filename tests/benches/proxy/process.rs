//! What processes have used so far, as the kernel accounts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A process and its children.
pub(crate) fn family(process: u32) -> Result<Vec<u32>> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    let children = children.split_ascii_whitespace().filter_map(|id| id.parse().ok());
    Ok(std::iter::once(process).chain(children).collect())
}

/// How long all their threads have run.
pub(crate) fn run_time(processes: &[u32]) -> Result<Duration> {
    let mut all = Duration::ZERO;
    for process in processes {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let facts = fs::read_to_string(thread?.path().join("schedstat"))?;
            let ns = facts.split(' ').next().and_then(|ns| ns.parse().ok());
            all += Duration::from_nanos(ns.context("the kernel says how long a thread has run")?);
        }
    }
    Ok(all)
}

/// The memory that they hold, in KiB; what several share is counted once.
pub(crate) fn memory_kib(processes: &[u32]) -> Result<f64> {
    let mut all = 0.0;
    for process in processes {
        let facts = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let line = facts.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        let kib: f64 = kib.context("the kernel says how much memory a process holds")?;
        all += kib;
    }
    Ok(all)
}
