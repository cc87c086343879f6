//! Sources whose logins fail again and again. Pure: the time is given.
//!
//! Private halves cannot be guessed; this keeps the guessing from costing
//! anything, and makes it seen.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::source::Source;

/// How many failures are free.
const FREE: u32 = 10;

/// The first wait; each failure after it doubles the next.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A source is forgotten so long after its last failure.
const FORGOTTEN: Duration = Duration::from_secs(2 * 3600);

/// How many sources are remembered; another one displaces the one that has
/// been quiet for longest.
const MOST_SOURCES: usize = 4096;

/// Who failed, and how often.
#[derive(Debug, Default)]
pub(super) struct Lockout(HashMap<Source, Failures>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(&self) -> Option<Duration> {
        let doublings = self.count.checked_sub(FREE)?;
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings));
        Some(wait.min(LONGEST_WAIT))
    }
}

impl Lockout {
    /// How long an address has to wait still, if it has to.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.0.get(&Source::of(address))?;
        let end = failures.last + failures.wait()?;
        let left = end.saturating_duration_since(now);
        // Whole seconds, so that who waits as told has waited long enough.
        (!left.is_zero()).then(|| Duration::from_secs(left.as_secs() + 1))
    }

    /// A login failed; answers how long the address has to wait now, if it
    /// has to.
    pub(super) fn failed(&mut self, address: IpAddr, now: Instant) -> Option<Duration> {
        let source = Source::of(address);
        self.0.retain(|_, failures| now.saturating_duration_since(failures.last) < FORGOTTEN);
        if self.0.len() >= MOST_SOURCES && !self.0.contains_key(&source) {
            let quietest = self.0.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(quietest) = quietest.map(|(source, _)| *source) {
                self.0.remove(&quietest);
            }
        }
        let failures = self.0.entry(source).or_insert(Failures { count: 0, last: now });
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
        failures.wait()
    }

    /// A login was good.
    pub(super) fn succeeded(&mut self, address: IpAddr) {
        self.0.remove(&Source::of(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn failures_lock_out_for_longer_and_longer() {
        let mut lockout = Lockout::default();
        let (source, mut now) = (address("192.0.2.7"), Instant::now());
        for _ in 1..FREE {
            assert_eq!(lockout.failed(source, now), None);
            assert_eq!(lockout.wait(source, now), None);
        }
        for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            assert_eq!(lockout.failed(source, now), Some(Duration::from_secs(wait)));
            now += Duration::from_secs(wait - 1);
            assert!(lockout.wait(source, now).is_some_and(|left| left.as_secs() <= 2));
            assert_eq!(lockout.wait(address("192.0.2.8"), now), None, "nobody else");
            now += Duration::from_secs(1);
            assert_eq!(lockout.wait(source, now), None);
        }
        lockout.succeeded(source);
        assert_eq!(lockout.failed(source, now), None, "forgiven");
    }

    #[test]
    fn a_network_is_one_source_and_memory_is_bounded() {
        let (mut lockout, start) = (Lockout::default(), Instant::now());
        for number in 0..FREE {
            lockout.failed(address(&format!("2001:db8::{number}")), start);
        }
        assert!(lockout.wait(address("2001:db8::ffff"), start).is_some());
        assert_eq!(lockout.wait(address("2001:db8:0:1::1"), start), None);
        let later = start + Duration::from_secs(1);
        for number in 0..MOST_SOURCES {
            lockout.failed(address(&format!("2001:db9:{number:x}::1")), later);
        }
        assert_eq!(lockout.0.len(), MOST_SOURCES);
        assert_eq!(lockout.wait(address("2001:db8::1"), later), None, "displaced");
        lockout.failed(address("192.0.2.7"), later + FORGOTTEN);
        assert_eq!(lockout.0.len(), 1, "forgotten");
    }
}
