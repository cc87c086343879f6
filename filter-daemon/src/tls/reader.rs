//! What PEM files hold, read again when they change.
//!
//! They are taken over as a whole or not at all: the last good content stays.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::look;
use super::watched::Watched;

/// What was read, or why there has never been anything good.
pub type Content<T> = Result<Arc<T>, String>;

/// How files are read; what is wrong is told with their names.
pub type Read<T> = Box<dyn Fn() -> Result<T, String> + Send>;

/// Watches over files that are read together.
pub struct Reader<T> {
    watched: Watched,
    read: Read<T>,
    held: watch::Sender<Content<T>>,
    /// Why what is there now is not taken over.
    trouble: Option<String>,
    news: Arc<Notify>,
}

impl<T: PartialEq + Send + Sync + 'static> Reader<T> {
    /// Reads them now; whoever waits for news is woken by what is read later,
    /// if it is something else.
    pub fn start(paths: Vec<PathBuf>, read: Read<T>, news: Arc<Notify>) -> Self {
        let mut watched = Watched::new(paths);
        let first = watched.read(&read);
        let trouble = first.as_ref().err().cloned();
        let (held, _) = watch::channel(first.map(Arc::new));
        Self { watched, read, held, trouble, news }
    }

    /// What is held, from now on.
    pub fn held(&self) -> watch::Receiver<Content<T>> {
        self.held.subscribe()
    }

    /// Looks again and again, until the token is cancelled.
    pub async fn run(self, shutdown: CancellationToken) {
        look::again_and_again(self, Self::look, shutdown).await;
    }

    /// Reads them again, if they changed and nobody is still writing them.
    pub(super) fn look(&mut self) {
        match self.watched.read_if_due(&self.read) {
            Some(Ok(content)) => self.take_over(content),
            Some(Err(trouble)) => self.complain(trouble),
            None => {}
        }
    }

    fn take_over(&mut self, content: T) {
        let had_trouble = self.trouble.take().is_some();
        let is_new = self.held.send_if_modified(|held| {
            let is_new = held.as_deref() != Ok(&content);
            if is_new {
                *held = Ok(Arc::new(content));
            }
            is_new
        });
        if is_new || had_trouble {
            tracing::info!(files = %self, "read again: what it says now is in force");
        }
        if is_new {
            self.news.notify_one();
        }
    }

    fn complain(&mut self, trouble: String) {
        if self.trouble.as_ref() == Some(&trouble) {
            return;
        }
        self.trouble = Some(trouble.clone());
        if self.held.borrow().is_ok() {
            tracing::warn!("{trouble}; what was read before stays in force until this is mended");
        } else {
            self.held.send_modify(|held| *held = Err(trouble));
            self.news.notify_one();
        }
    }
}

impl<T> fmt::Display for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.watched.fmt(f)
    }
}
