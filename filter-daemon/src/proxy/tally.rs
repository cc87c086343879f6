//! What the proxy counts, by app, reason and verdict, and which refusals it
//! tells of.
//!
//! Counts outlive the settings of an app: they end with the app.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use filter_common::verdict::{Mode, Verdict};

use super::reason::Reason;
use crate::id::ObjectId;

/// One non-zero cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TallyRow {
    /// The app; none where no app was known.
    pub app: Option<ObjectId>,
    /// How it ended.
    pub reason: Reason,
    /// What happened.
    pub verdict: Verdict,
    /// How often.
    pub count: u64,
}

/// The counts of all apps.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Mutex<HashMap<Option<ObjectId>, Arc<Counts>>>,
}

/// The counts of one app.
#[derive(Debug, Default)]
pub(super) struct Counts {
    cells: [[AtomicU64; Verdict::ALL.len()]; Reason::COUNT],
    told: Mutex<HashMap<Reason, Told>>,
    untold: AtomicU64,
}

/// How many refusals were told in the running second.
#[derive(Debug)]
struct Told {
    since: Instant,
    count: u32,
    left_out: u64,
}

/// Of one app and reason, so that a flood does not fill the disk and hides no
/// other fault.
const TOLD_IN_A_SECOND: u32 = 5;

impl Tally {
    /// The counts of an app, or those of nobody's.
    pub(super) fn of(&self, app: Option<ObjectId>) -> Arc<Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counts.entry(app).or_default())
    }

    /// Forgets the apps that are gone.
    pub(super) fn retain(&self, is_there: impl Fn(ObjectId) -> bool) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|app, _| app.is_none_or(&is_there));
    }

    /// How many refusals were not told one by one.
    pub(super) fn untold(&self) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.values().map(|counts| counts.untold()).sum()
    }

    /// Every cell that is not zero.
    pub(super) fn rows(&self) -> Vec<TallyRow> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows: Vec<TallyRow> =
            counts.iter().flat_map(|(app, counts)| counts.rows(*app)).collect();
        rows.sort_by_key(|row| (row.app, row.reason));
        rows
    }
}

impl Counts {
    /// Counts one, and answers what happens to it.
    pub(super) fn count(&self, reason: Reason, mode: Mode) -> Verdict {
        let verdict = reason.decide(mode);
        self.cells[reason as usize][verdict as usize].fetch_add(1, Ordering::Relaxed);
        verdict
    }

    /// Whether a refusal is to be told, and how many were not since the last
    /// one.
    pub(super) fn sample(&self, reason: Reason) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let told = told.entry(reason).or_insert(Told { since: now, count: 0, left_out: 0 });
        if now.duration_since(told.since) >= Duration::from_secs(1) {
            (told.since, told.count) = (now, 0);
        }
        if told.count == TOLD_IN_A_SECOND {
            told.left_out += 1;
            self.untold.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        told.count += 1;
        Some(std::mem::take(&mut told.left_out))
    }

    /// How many refusals were not told.
    pub(super) fn untold(&self) -> u64 {
        self.untold.load(Ordering::Relaxed)
    }

    fn rows(&self, app: Option<ObjectId>) -> impl Iterator<Item = TallyRow> {
        Reason::ALL.into_iter().flat_map(move |reason| {
            Verdict::ALL.into_iter().filter_map(move |verdict| {
                let count = self.cells[reason as usize][verdict as usize].load(Ordering::Relaxed);
                (count > 0).then_some(TallyRow { app, reason, verdict, count })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown_until_the_app_is_gone() {
        let tally = Tally::default();
        let app = ObjectId::from_parts(1, 2, [3; 4]);
        assert_eq!(tally.of(Some(app)).count(Reason::NotListed, Mode::Enforce), Verdict::Drop);
        assert_eq!(tally.of(Some(app)).count(Reason::NotListed, Mode::Observe), Verdict::WouldDrop);
        let _ = tally.of(None).count(Reason::UnknownName, Mode::Enforce);
        let shown: Vec<_> = tally.rows().iter().map(|r| (r.app, r.verdict, r.count)).collect();
        assert_eq!(
            shown,
            [
                (None, Verdict::Drop, 1),
                (Some(app), Verdict::WouldDrop, 1),
                (Some(app), Verdict::Drop, 1)
            ]
        );
        tally.retain(|_| false);
        assert_eq!(tally.rows().len(), 1);
    }

    #[test]
    fn a_few_refusals_of_many_are_told() {
        let counts = Counts::default();
        let told = (0..1000).filter(|_| counts.sample(Reason::NotListed).is_some()).count();
        assert!((5..1000).contains(&told), "{told}");
    }
}
