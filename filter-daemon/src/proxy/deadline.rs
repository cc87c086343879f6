//! A deadline that moves often and is hardly ever met: its timer is set anew
//! only when it has gone off too early.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// See above.
#[derive(Debug)]
pub(super) struct Deadline {
    at: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn new(at: Instant) -> Self {
        Self { at, timer: Box::pin(sleep_until(at)) }
    }

    pub(super) fn set(&mut self, at: Instant) {
        self.at = at;
        if at < self.timer.deadline() {
            self.timer.as_mut().reset(at);
        }
    }

    /// Ready once it has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.at <= self.timer.deadline() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_is_met_where_it_was_moved_to_last() {
        let mut deadline = Deadline::new(Instant::now());
        for moves in [&[3][..], &[2, 9], &[9, 2], &[1, 9, 4]] {
            let began = Instant::now();
            moves.iter().for_each(|seconds| deadline.set(began + SECOND * *seconds));
            std::future::poll_fn(|cx| deadline.poll(cx)).await;
            let late = Instant::now() - (began + SECOND * moves[moves.len() - 1]);
            assert!(late < SECOND / 10, "{moves:?}: {late:?} too late");
            tokio::time::advance(SECOND).await;
        }
    }
}
