//! How often, and when last, an entry let a packet in.

use crate::pod;

/// How many entries have room for their hits. Entries that are hit when there
/// is none are not counted.
pub const HIT_ENTRIES: u32 = 1 << 17;

/// The hits of one entry on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Hit {
    /// Packets that it let in; of a list with a table partly extrapolated.
    pub packets: u64,
    /// Monotonic-clock nanoseconds of the last one that was counted, by the
    /// coarse clock.
    pub last_ns: u64,
}

const _: () = assert!(size_of::<Hit>() == 16);

pod!(Hit);
