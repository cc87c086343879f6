//! Times of the kernel's clocks as times of day.

use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

/// The same moment on two clocks.
pub(super) struct Clock {
    kernel: Duration,
    wall: SystemTime,
}

impl Clock {
    /// What a clock of the kernel says now.
    pub(super) fn read(clock: ClockId) -> std::io::Result<Self> {
        Ok(Self { kernel: clock_gettime(clock)?.into(), wall: SystemTime::now() })
    }

    /// When that clock stood so.
    pub(super) fn wall_time(&self, kernel_ns: u64) -> SystemTime {
        let age = self.kernel.saturating_sub(Duration::from_nanos(kernel_ns));
        self.wall.checked_sub(age).unwrap_or(self.wall)
    }
}
