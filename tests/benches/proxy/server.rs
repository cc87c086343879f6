//! The servers that are measured. Each runs on one CPU, with one thread or
//! process that serves.

mod alone;
mod filterd;
mod haproxy;
mod nginx;

use std::process::{Child, Command};
use std::thread;

use anyhow::{Result, bail};
use filter_tests::deadline::{PATIENCE, within};
use filter_tests::measure::cpu;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::load::{Client, Offer};
use crate::process;
use crate::stage::Stage;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Server {
    /// The upstream itself, asked without TLS.
    Upstream,
    /// A TLS server that answers by itself: what the load can do at most.
    Alone,
    Nginx,
    Haproxy,
    Filterd,
}

impl Server {
    pub(crate) const ALL: [Self; 5] =
        [Self::Upstream, Self::Alone, Self::Nginx, Self::Haproxy, Self::Filterd];

    /// The proxies that filterd is compared with.
    pub(crate) const PEERS: [Self; 2] = [Self::Nginx, Self::Haproxy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upstream => "no TLS, no proxy",
            Self::Alone => "TLS, no proxy",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Filterd => "filterd",
        }
    }

    /// Starts it, does something with it, and stops it.
    pub(crate) fn with<T: Send>(
        self,
        stage: &Stage,
        runtime: &Runtime,
        work: impl FnOnce(&[u32]) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Upstream => work(&[]),
            Self::Alone => {
                let _alone = alone::Alone::start(stage)?;
                work(&[])
            }
            Self::Nginx => with_program(nginx::command(stage)?, runtime, work),
            Self::Haproxy => with_program(haproxy::command(stage)?, runtime, work),
            Self::Filterd => filterd::with(stage, work),
        }
    }
}

/// Does something on the CPU that is measured; what it starts stays there.
fn there<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            cpu::stay_on(cpu::MEASURED);
            work()
        });
        worker.join()
    });
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A program that ends with this.
struct Program(Child);

fn with_program<T>(
    mut command: Command,
    runtime: &Runtime,
    work: impl FnOnce(&[u32]) -> Result<T>,
) -> Result<T> {
    let mut program = Program(there(|| command.spawn())?);
    let client = Client::new(Offer::Http1)?;
    // The port is there before the process that serves it is.
    let serves = || runtime.block_on(client.connect()).ok();
    if within(PATIENCE, serves).is_none() {
        bail!("{command:?} does not serve after {PATIENCE:?}: {:?}", program.0.try_wait()?);
    }
    work(&process::family(program.0.id())?)
}

impl Drop for Program {
    fn drop(&mut self) {
        let process = i32::try_from(self.0.id()).expect("process ids fit");
        // One that has ended already is waited for all the same.
        let _ = kill(Pid::from_raw(process), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}
