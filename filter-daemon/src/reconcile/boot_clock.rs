//! Where the kernel's boot clock began, by the wall clock of now.
//!
//! The ends of temporary entries are Unix seconds in the store and seconds of
//! the boot clock in the kernel. Where the wall clock is set, the second
//! follows; where it is only slewed, nothing is written anew.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// A smaller step of the wall clock is no step.
const STEP_S: u64 = 2;

/// The Unix second in which the boot clock began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BootClock {
    booted: i64,
}

impl BootClock {
    /// Looks at both clocks.
    pub(super) fn look(&mut self) -> i64 {
        match measure() {
            Ok(booted) if booted.abs_diff(self.booted) >= STEP_S => self.booted = booted,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot read the boot clock"),
        }
        self.booted
    }
}

fn measure() -> nix::Result<i64> {
    let since_boot = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME)?).as_secs_f64();
    let since_epoch = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit 64 bits")]
    let booted = (since_epoch - since_boot).round() as i64;
    Ok(booted)
}
