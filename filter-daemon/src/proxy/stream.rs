//! One request of an HTTP/2 connection, from its head to the end of its answer:
//! it can be ended without the others.

use std::pin::pin;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::reason::Reason;
use super::waits::Waits;

tokio::task_local! {
    static CURRENT: Arc<Stream>;
}

/// One request of an HTTP/2 connection.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) waits: Waits,
    ending: CancellationToken,
    why: OnceLock<Reason>,
}

impl Stream {
    /// The one whose task is running.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Ends it; answers whether it had not been ended yet.
    pub(super) fn end(&self, reason: Reason) -> bool {
        let is_first = self.why.set(reason).is_ok();
        self.ending.cancel();
        is_first
    }

    /// Does the work of the stream until it is ended; why, is noted before the
    /// client can notice.
    pub(super) async fn run(
        self: &Arc<Self>,
        work: impl Future<Output = ()>,
        note: impl FnOnce(Reason),
    ) {
        let mut work = pin!(CURRENT.scope(Arc::clone(self), work));
        tokio::select! {
            biased;
            () = self.ending.cancelled() => {
                if let Some(reason) = self.why.get() {
                    note(*reason);
                }
            }
            () = &mut work => {}
        }
    }
}
