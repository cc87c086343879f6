//! The threads that serve: one a core, each with its own event loop, so that a
//! connection and its upstream's stay where they are.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::handshake::{self, Accepted};
use super::shared::Shared;

/// Running threads.
pub(super) struct Threads {
    pub(super) senders: Vec<UnboundedSender<Accepted>>,
    handles: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Threads {
    /// Starts so many.
    pub(super) fn start(count: usize, shared: &Arc<Shared>) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let (mut senders, mut handles) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (sender, receiver) = mpsc::unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (shared, stop) = (Arc::clone(shared), stop.clone());
            let thread = std::thread::Builder::new().name(format!("filterd-proxy-{number}"));
            let work = stop.run_until_cancelled_owned(work(shared, number, receiver));
            handles.push(thread.spawn(move || {
                runtime.block_on(work);
            })?);
            senders.push(sender);
        }
        Ok(Self { senders, handles, stop })
    }

    /// Ends them, whatever they do.
    pub(super) fn stop(self) {
        self.stop.cancel();
        for handle in self.handles {
            if handle.join().is_err() {
                tracing::error!("a thread of the proxy ended in a panic");
            }
        }
    }
}

async fn work(shared: Arc<Shared>, number: usize, mut accepted: UnboundedReceiver<Accepted>) {
    while let Some(accepted) = accepted.recv().await {
        tokio::spawn(handshake::receive(Arc::clone(&shared), number, accepted));
    }
}
