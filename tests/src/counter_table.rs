//! The counters, read straight from the pinned map in one call.
//!
//! Shares no code with the daemon's reader: what one of them gets wrong the
//! other shows.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use filter_common::counter::COUNTER_CELLS;
use filter_common::reason::Reason;
use filter_common::verdict::Verdict;

use crate::kernel::{bpf, open_pin};

// include/uapi/linux/bpf.h
const BPF_MAP_LOOKUP_BATCH: i64 = 24;

/// App, reason, verdict.
pub type Cell = (u32, Reason, Verdict);

/// Packets, bytes.
pub type Count = (u64, u64);

/// Words of one CPU's value: packets and bytes.
const WORDS: usize = 2;

/// The pinned map.
#[derive(Debug)]
pub struct CounterTable {
    map: OwnedFd,
    cpus: usize,
}

#[repr(C)]
#[derive(Default)]
struct BatchAttributes {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

impl CounterTable {
    /// Opens a pin.
    pub fn open(pin: &Path) -> io::Result<Self> {
        Ok(Self { map: open_pin(pin)?, cpus: possible_cpus()? })
    }

    /// Every counter that is not zero.
    pub fn read(&self) -> io::Result<HashMap<Cell, Count>> {
        let cells = COUNTER_CELLS as usize;
        let mut keys = vec![0_u32; cells];
        let mut values = vec![0_u64; cells * self.cpus * WORDS];
        let mut out_batch = 0_u32;
        let mut batch = BatchAttributes {
            out_batch: std::ptr::from_mut(&mut out_batch) as u64,
            keys: keys.as_mut_ptr() as u64,
            values: values.as_mut_ptr() as u64,
            count: COUNTER_CELLS,
            map_fd: self.map.as_raw_fd().unsigned_abs(),
            ..BatchAttributes::default()
        };
        match bpf(BPF_MAP_LOOKUP_BATCH, &mut batch) {
            Ok(_) => {}
            // There is no batch behind this one.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => return Err(error),
        }
        assert_eq!(batch.count, COUNTER_CELLS, "the batch holds the whole table");
        let per_cell = self.cpus * WORDS;
        let read = keys.iter().zip(values.chunks_exact(per_cell));
        let sums = read.filter_map(|(key, values)| {
            let sum = values
                .chunks_exact(WORDS)
                .fold((0, 0), |sum: Count, cpu| (sum.0 + cpu[0], sum.1 + cpu[1]));
            (sum != (0, 0)).then(|| (cell(*key), sum))
        });
        Ok(sums.collect())
    }
}

fn cell(index: u32) -> Cell {
    let verdicts = Verdict::ALL.len();
    let index = index as usize;
    let (rest, verdict) = (index / verdicts, index % verdicts);
    let (app, reason) = (rest / Reason::ALL.len(), rest % Reason::ALL.len());
    (u32::try_from(app).expect("few apps"), Reason::ALL[reason], Verdict::ALL[verdict])
}

/// "0-3" means four.
fn possible_cpus() -> io::Result<usize> {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible")?;
    let last = text.trim().rsplit(['-', ',']).next().and_then(|last| last.parse::<usize>().ok());
    last.map(|last| last + 1).ok_or_else(|| io::Error::other(format!("CPUs {text:?}")))
}
