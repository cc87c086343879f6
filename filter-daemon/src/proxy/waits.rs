//! What the client is waited for, and since when.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{clock, patience};

/// What the client is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The next request.
    Idle,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
    /// That it reads what was sent.
    Reading,
    /// Anything in a tunnel.
    Tunnel,
}

/// Since when each is waited for: a second, or 0.
#[derive(Debug, Default)]
pub(super) struct Waits([AtomicU32; Wait::ALL.len()]);

impl Wait {
    const ALL: [Self; 5] = [Self::Idle, Self::Head, Self::Body, Self::Reading, Self::Tunnel];

    fn patience(self) -> Duration {
        match self {
            Self::Idle => patience::IDLE,
            Self::Head => patience::HEAD,
            Self::Body | Self::Reading => patience::CLIENT,
            Self::Tunnel => patience::TUNNEL,
        }
    }
}

impl Waits {
    /// From now on this is waited for.
    pub(super) fn begin(&self, wait: Wait) {
        self.cell(wait).store(seconds(), Ordering::Relaxed);
    }

    /// It is waited for already, or from now on.
    pub(super) fn keep(&self, wait: Wait) {
        let cell = self.cell(wait);
        if cell.load(Ordering::Relaxed) == 0 {
            cell.store(seconds(), Ordering::Relaxed);
        }
    }

    /// It came.
    pub(super) fn end(&self, wait: Wait) {
        let cell = self.cell(wait);
        if cell.load(Ordering::Relaxed) != 0 {
            cell.store(0, Ordering::Relaxed);
        }
    }

    /// For how long it has been waited for, in whole seconds, if it is.
    pub(super) fn lasts(&self, wait: Wait) -> Option<Duration> {
        let since = self.cell(wait).load(Ordering::Relaxed);
        (since != 0).then(|| Duration::from_secs(seconds().saturating_sub(since).into()))
    }

    /// What has been waited for longer than there is patience.
    pub(super) fn overdue(&self) -> Option<Wait> {
        let is_overdue =
            |wait: &Wait| self.lasts(*wait).is_some_and(|lasts| lasts > wait.patience());
        Wait::ALL.into_iter().find(is_overdue)
    }

    fn cell(&self, wait: Wait) -> &AtomicU32 {
        &self.0[wait as usize]
    }
}

/// Whole seconds since the host was started, from 1.
fn seconds() -> u32 {
    u32::try_from(clock::now().as_secs()).unwrap_or(u32::MAX - 1) + 1
}
