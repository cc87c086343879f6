//! One request of an HTTP/2 connection, from its head to the end of its answer:
//! it is timed and can be ended without the others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::task::AbortHandle;

use super::waits::Waits;

tokio::task_local! {
    static CURRENT: Arc<Stream>;
}

/// One request of an HTTP/2 connection.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) waits: Waits,
    /// Whether the upstream has yet to take what the client sent: meanwhile the
    /// client may not be able to send more, on any stream.
    pub(super) is_held: AtomicBool,
    has_been_ended: AtomicBool,
    task: OnceLock<AbortHandle>,
}

/// Those of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Vec<Arc<Stream>>>);

/// The place of a stream among them; it ends with the value.
struct Place {
    streams: Arc<Streams>,
    stream: Arc<Stream>,
}

impl Stream {
    /// The one whose task is running.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Claims the right to end it: nobody has that ended it before, or that comes
    /// when it has ended by itself.
    pub(super) fn may_end(&self) -> bool {
        let is_open = self.task.get().is_some_and(|task| !task.is_finished());
        is_open && !self.has_been_ended.swap(true, Ordering::Relaxed)
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.task.get().into_iter().for_each(AbortHandle::abort);
    }
}

impl Streams {
    /// Does the work of a stream, in a task of its own.
    pub(super) fn run(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stream = Arc::new(Stream::default());
        self.lock().push(Arc::clone(&stream));
        let place = Place { streams: Arc::clone(self), stream: Arc::clone(&stream) };
        // On the heap at once: a task is handed on a few times before it is there.
        let work = Box::pin(async move {
            let _place = place;
            work.await;
        });
        let task = tokio::spawn(CURRENT.scope(Arc::clone(&stream), work));
        // It may have ended by now: then nobody asks.
        let _ = stream.task.set(task.abort_handle());
    }

    /// Those that are open now.
    pub(super) fn all(&self) -> Vec<Arc<Stream>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Stream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = self.streams.lock();
        if let Some(at) = streams.iter().position(|stream| Arc::ptr_eq(stream, &self.stream)) {
            streams.swap_remove(at);
        }
    }
}
