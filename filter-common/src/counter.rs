//! Per-CPU counters: one cell for each app, reason and verdict.

use crate::generation::MAX_APPS;
use crate::pod;
use crate::reason::Reason;
use crate::verdict::Verdict;

/// What one cell of the counter table holds.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counter {
    /// Packets, as the program saw them (generic mode sees aggregates).
    pub packets: u64,
    /// Bytes of those packets, Ethernet header included.
    pub bytes: u64,
}

#[expect(clippy::cast_possible_truncation, reason = "a constant far below 2^32")]
const VERDICTS: u32 = Verdict::ALL.len() as u32;

/// How many cells the table has.
#[expect(clippy::cast_possible_truncation, reason = "a constant far below 2^32")]
pub const COUNTER_CELLS: u32 = MAX_APPS as u32 * Reason::COUNT * VERDICTS;

/// The cell of an app (0: no app is known), a reason and a verdict.
#[inline(always)]
pub const fn counter_cell(app: u32, reason: Reason, verdict: Verdict) -> u32 {
    (app * Reason::COUNT + reason as u32) * VERDICTS + verdict as u32
}

const _: () = assert!(size_of::<Counter>() == 16);

pod!(Counter);
