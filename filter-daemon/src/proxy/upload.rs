//! How the body of a request gets on, as others than its reader need to know.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The state of a body that is on its way to the upstream.
#[derive(Debug)]
pub(super) struct Upload {
    began: Instant,
    /// When the upstream was last given something, in milliseconds from the
    /// beginning; [`AWAITED`] while it could take more than the client sends.
    given_ms: AtomicU64,
    has_ended: AtomicBool,
    fault: OnceLock<Fault>,
}

/// What was wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It was longer than the app allows.
    TooLarge,
    /// It could not be followed to its end.
    Broken(String),
}

const AWAITED: u64 = u64::MAX;

impl Upload {
    pub(super) fn new() -> Self {
        let began = Instant::now();
        let (given_ms, has_ended) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { began, given_ms, has_ended, fault: OnceLock::new() }
    }

    /// The client has not sent what could be given to the upstream now.
    pub(super) fn await_client(&self) {
        self.given_ms.store(AWAITED, Ordering::Relaxed);
    }

    /// Something was given to the upstream.
    pub(super) fn give(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(AWAITED - 1);
        self.given_ms.store(now, Ordering::Relaxed);
    }

    /// All of it was given to the upstream.
    pub(super) fn end(&self) {
        self.give();
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Whether all of it was given to the upstream.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Something is wrong with it.
    pub(super) fn fail(&self, fault: Fault) {
        // The first one is the cause.
        let _ = self.fault.set(fault);
    }

    /// What was wrong with it.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }

    /// Until when the upstream may be silent: it answers when it has all of a
    /// body, or takes more of it meanwhile.
    pub(super) fn deadline(&self, patience: Duration) -> Instant {
        match self.given_ms.load(Ordering::Relaxed) {
            AWAITED => Instant::now() + patience,
            given_ms => self.began + Duration::from_millis(given_ms) + patience,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(3);

    #[tokio::test(start_paused = true)]
    async fn the_upstream_is_silent_from_what_it_was_given_last() {
        let upload = Upload::new();
        let began = Instant::now();
        assert_eq!(upload.deadline(PATIENCE), began + PATIENCE);
        tokio::time::advance(Duration::from_secs(2)).await;
        upload.give();
        assert_eq!(upload.deadline(PATIENCE), Instant::now() + PATIENCE);
        upload.await_client();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(upload.deadline(PATIENCE), Instant::now() + PATIENCE);
        upload.end();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(upload.deadline(PATIENCE), Instant::now() + Duration::from_secs(2));
        assert!(upload.has_ended());
    }
}
