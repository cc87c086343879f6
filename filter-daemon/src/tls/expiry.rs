//! When to warn that a certificate nears its end. Pure: the time is given.

use jiff::{SignedDuration, Timestamp};

/// Days ahead of the end on which a warning is due, and the end itself.
const DAYS_AHEAD: [i64; 4] = [30, 7, 1, 0];

/// The warnings of one certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    ends: Timestamp,
    /// How many of the warnings are past.
    told: usize,
}

impl Expiry {
    pub(super) fn new(ends: Timestamp) -> Self {
        Self { ends, told: 0 }
    }

    /// A warning that is due now, each one once. A late start gives the last
    /// one that it missed.
    pub(super) fn warning(&mut self, now: Timestamp) -> Option<String> {
        let left = self.ends.duration_since(now);
        let due = DAYS_AHEAD.iter().filter(|days| left <= day(**days)).count();
        if due <= self.told {
            return None;
        }
        self.told = due;
        let hours = left.as_hours();
        Some(match (left.is_positive(), hours / 24) {
            (false, _) => format!("ended at {}: clients refuse it", self.ends),
            (true, 0) => format!("ends in {hours} hours, at {}", self.ends),
            (true, days) => format!("ends in {days} days, at {}", self.ends),
        })
    }
}

fn day(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_comes_once() {
        let ends: Timestamp = "2026-03-31T00:00:00Z".parse().expect("a time");
        let mut expiry = Expiry::new(ends);
        let mut told = Vec::new();
        for hour in (0..24 * 40).rev() {
            let now = ends - SignedDuration::from_hours(hour);
            told.extend(expiry.warning(now).map(|text| (hour, text)));
        }
        let hours: Vec<i64> = told.iter().map(|(hour, _)| *hour).collect();
        assert_eq!(hours, [30 * 24, 7 * 24, 24, 0]);
        assert_eq!(told[0].1, "ends in 30 days, at 2026-03-31T00:00:00Z");
        assert_eq!(told[3].1, "ended at 2026-03-31T00:00:00Z: clients refuse it");
        let mut late = Expiry::new(ends);
        let now = ends - SignedDuration::from_hours(5);
        assert_eq!(late.warning(now).as_deref(), Some("ends in 5 hours, at 2026-03-31T00:00:00Z"));
        assert_eq!(late.warning(now), None);
    }
}
