//! Tells one task to end something. Asked each time the task is woken, it costs
//! next to nothing; a `CancellationToken`, which several may wait for, takes
//! locks.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use futures_util::task::AtomicWaker;

/// See above. It is given once; only the task that waits last is woken.
#[derive(Debug, Default)]
pub(super) struct Signal {
    is_given: AtomicBool,
    waker: AtomicWaker,
}

/// Whoever waits for a signal.
pub(super) struct Waiting<'a> {
    signal: &'a Signal,
    /// Who is woken.
    known: Option<Waker>,
}

impl Signal {
    /// Gives it; answers whether that is news.
    pub(super) fn give(&self) -> bool {
        let is_first = !self.is_given.swap(true, Ordering::AcqRel);
        self.waker.wake();
        is_first
    }

    pub(super) fn is_given(&self) -> bool {
        self.is_given.load(Ordering::Acquire)
    }

    pub(super) fn wait(&self) -> Waiting<'_> {
        Waiting { signal: self, known: None }
    }

    /// Works until it is given, or to the end.
    pub(super) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (mut waiting, mut work) = (self.wait(), pin!(work));
        poll_fn(|cx| match waiting.poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    }
}

impl Waiting<'_> {
    /// Ready once it is given.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if !self.known.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            self.signal.waker.register(cx.waker());
            self.known = Some(cx.waker().clone());
        }
        if self.signal.is_given() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn work_ends_when_it_is_given() {
        let signal = Arc::new(Signal::default());
        assert_eq!(signal.or(ready(7)).await, Some(7));
        let waiting = tokio::spawn({
            let signal = Arc::clone(&signal);
            async move { signal.or(pending::<()>()).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert!(signal.give() && !signal.give() && signal.is_given());
        assert_eq!(waiting.await.expect("no panic"), None);
        assert_eq!(signal.or(ready(7)).await, None);
    }
}
