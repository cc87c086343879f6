//! What has to be undone when the demo ends, however it ends.
//!
//! Invariant: nothing is made without its undoing being noted in the same
//! step, and each is undone once: at the end of the demo or, when a signal
//! comes first, by the thread that waits for signals.

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// One thing to undo.
pub(super) type Step = Box<dyn FnOnce() + Send>;

/// The steps, last made first undone; `None` once they have been undone.
#[derive(Clone)]
struct Steps(Arc<Mutex<Option<Vec<Step>>>>);

/// What is undone when it is dropped.
pub(super) struct Undo(Steps);

impl Undo {
    /// Starts to listen for signals.
    pub(super) fn new() -> Result<Self> {
        let steps = Steps(Arc::new(Mutex::new(Some(Vec::new()))));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot take signals")?;
        let by_signal = steps.clone();
        thread::spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            eprintln!("\ninterrupted: cleaning up");
            by_signal.run();
            process::exit(128 + signal);
        });
        Ok(Self(steps))
    }

    /// Makes something that will have to be undone.
    pub(super) fn make<T>(&self, make: impl FnOnce() -> Result<(T, Step)>) -> Result<T> {
        let mut steps = self.0.lock();
        let Some(steps) = steps.as_mut() else { bail!("the demo was interrupted") };
        let (made, step) = make()?;
        steps.push(step);
        Ok(made)
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if !self.0.run() {
            // A signal came first; its thread ends the process.
            loop {
                thread::park();
            }
        }
    }
}

impl Steps {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<Step>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Undoes everything, unless that has been done.
    fn run(&self) -> bool {
        let steps = self.lock().take();
        let is_first = steps.is_some();
        for step in steps.into_iter().flatten().rev() {
            step();
        }
        is_first
    }
}
