//! Waiting for a condition, never for time to pass.

use std::time::{Duration, Instant};

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(2);

/// Asks again and again until there is an answer; panics with `what` when
/// there is none in time.
pub fn wait_for<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    match within(PATIENCE, probe) {
        Some(value) => value,
        None => panic!("after {PATIENCE:?} still waiting for {what}"),
    }
}

/// Asks again and again until there is an answer or the time is over.
pub fn within<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(value) = probe() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}
