//! Watching for the moment in which a verdict changes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use filter_tests::measure::cpu;
use filter_tests::namespace::Namespace;
use filter_tests::test_run::{Action, PinnedProgram};

/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes a change while frames are run through a pinned program on another CPU,
/// with a pause after each; answers what the change answers, and when the first
/// frame got the new verdict.
pub(crate) fn watch<T: Send>(
    host: &Namespace,
    pin: &Path,
    frame: &[u8],
    becomes: Action,
    pause: Duration,
    change: impl FnOnce() -> T,
) -> Result<(T, Instant)> {
    let program = PinnedProgram::open(pin)?;
    if program.run(frame, None)? == becomes {
        bail!("the verdict is {becomes:?} already");
    }
    let is_watching = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            host.enter();
            cpu::stay_on(cpu::WATCHING);
            is_watching.store(true, Ordering::Release);
            until(&program, frame, becomes, pause)
        });
        while !is_watching.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let answer = change();
        match watcher.join() {
            Ok(moment) => Ok((answer, moment?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn until(
    program: &PinnedProgram,
    frame: &[u8],
    becomes: Action,
    pause: Duration,
) -> Result<Instant> {
    let end = Instant::now() + PATIENCE;
    while program.run(frame, None)? != becomes {
        if Instant::now() > end {
            bail!("no frame got the verdict {becomes:?} within {PATIENCE:?}");
        }
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
    Ok(Instant::now())
}
