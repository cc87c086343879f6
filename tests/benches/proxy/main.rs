//! The proxy tier of the benchmark: what a TLS connection, a request and an idle
//! connection cost at filterd, beside nginx and HAProxy.
//!
//! Run by `cargo xtask bench`, which builds and installs what it needs. Owns
//! the servers' configurations, the upstream, the load and the measuring;
//! nothing of it is shipped. Works in a namespace of its own, over its loopback
//! interface, and leaves nothing behind.
//!
//! Invariant: one server runs at a time, alone on one CPU; the load and the
//! upstream share another one.

mod effort;
mod figure;
mod load;
mod options;
mod process;
mod report;
mod round;
mod server;
mod stage;
mod upstream;

use anyhow::Result;
use clap::Parser as _;
use filter_tests::measure::{Machine, cpu};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::runtime;

use effort::Effort;
use options::Options;
use report::Report;
use round::Round;
use stage::Stage;

/// Debian's packages of the other proxies.
const PEERS: [&str; 2] = ["nginx", "haproxy"];

fn main() -> Result<()> {
    let options = Options::parse();
    let machine = Machine::here(&options.commit, options.quick, &PEERS);
    raise_limit()?;
    cpu::stay_on(cpu::WATCHING);
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let stage = Stage::new()?;
    runtime.spawn(upstream::serve(stage.upstream.try_clone()?));
    let effort = Effort::new(options.quick);
    let mut rounds = Vec::new();
    for number in 0..effort.rounds {
        rounds.push(Round::measure(&effort, &stage, &runtime, number)?);
    }
    Report::new(machine, effort, &rounds)?.show(&options)
}

/// Every connection of the load is a descriptor of this process; the servers
/// inherit the limit.
fn raise_limit() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}
