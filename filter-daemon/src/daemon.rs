//! The composition root: reads the configuration, opens the parts, puts them
//! together, and runs them until told to stop.
//!
//! Never decides anything about a packet. Readiness is told to systemd when
//! the first state is in force, or has been found not to be.

mod remarks;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{CommandFactory as _, Parser};
use futures_util::future::OptionFuture;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use crate::auth::Auth;
use crate::config::Config;
use crate::control::Control;
use crate::datapath::{Datapath, DatapathOptions};
use crate::observe::{Observer, follow};
use crate::priority::answer_at_once;
use crate::proxy::{Proxy, ProxyParts};
use crate::reconcile::{Phase, Reconciler, ReconcilerParts, Status};
use crate::store::OpenError;
use crate::{api, auth, datapath, expiry, store};

/// Exit code for a configuration or database that a restart cannot mend
/// (EX_CONFIG of sysexits.h); the unit does not restart on it.
const EXIT_CONFIG: u8 = 78;

/// How long an orderly stop may take.
const STOP: Duration = Duration::from_secs(5);

/// What is logged unless `FILTERD_LOG` says otherwise. The crate h2 warns of
/// what a client does, as often as it does it: nobody has to look at that.
const LOGGED: &str = "info,h2=error";
const LOGGED_WITH_PACKETS: &str = "info,h2=error,filterd=debug,filterd_xdp=debug";

/// Lets only listed sources in.
#[derive(Debug, Parser)]
#[command(
    name = "filterd",
    version,
    about = "Lets only listed sources in: the daemon",
    after_help = "Exit codes: 0 stopped in order, 1 failed, 78 the configuration or the database cannot be used.\nThe filter stays on when the daemon stops or dies, unless on_exit is \"open\"."
)]
struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "/etc/filterd/filterd.toml")]
    config: PathBuf,
    /// Check the configuration and exit
    #[arg(long)]
    check: bool,
    /// Log what becomes of every packet, at debug level: slow, for finding faults
    #[arg(long)]
    packet_log: bool,
}

/// The command line, for man pages.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the daemon.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(arguments.packet_log);
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if arguments.check {
        println!("{}: no fault found", arguments.config.display());
        for remark in remarks::remarks(&config) {
            println!("{}: warning: {remark}", arguments.config.display());
        }
        return ExitCode::SUCCESS;
    }
    answer_at_once();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime
        .context("cannot start the asynchronous runtime")
        .and_then(|runtime| runtime.block_on(run(config, arguments.packet_log)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", told(&error));
            let unusable = error
                .chain()
                .any(|cause| cause.downcast_ref::<OpenError>().is_some_and(needs_a_person));
            if unusable { ExitCode::from(EXIT_CONFIG) } else { ExitCode::FAILURE }
        }
    }
}

/// An error with its causes; some name theirs themselves.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| {
        match text.is_empty() {
            true => cause,
            false if text.ends_with(&cause) => text,
            false => format!("{text}: {cause}"),
        }
    })
}

/// Whether a restart would only fail again.
fn needs_a_person(error: &OpenError) -> bool {
    match error {
        OpenError::Exposed { .. }
        | OpenError::Owner { .. }
        | OpenError::NotADatabase { .. }
        | OpenError::Foreign { .. }
        | OpenError::Newer { .. }
        | OpenError::Older { .. }
        | OpenError::Damaged { .. }
        | OpenError::Missing { .. }
        | OpenError::Emptied { .. }
        | OpenError::JournalAlone { .. } => true,
        OpenError::Directory { .. }
        | OpenError::Held { .. }
        | OpenError::File { .. }
        | OpenError::Full { .. }
        | OpenError::Sqlite { .. }
        | OpenError::Thread { .. } => false,
    }
}

fn start_log(packet_log: bool) {
    let default = if packet_log { LOGGED_WITH_PACKETS } else { LOGGED };
    let filter = EnvFilter::try_from_env("FILTERD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(terminal)
        .with_writer(std::io::stderr)
        .init();
}

async fn run(config: Config, packet_log: bool) -> Result<()> {
    let shutdown = CancellationToken::new();
    stop_on_signals(&shutdown)?;
    let is_in_force = datapath::is_in_force(&config.paths.pins);
    if is_in_force {
        store::refuse_to_begin(&config.paths.state)?;
    }
    let (store, closing) =
        store::open(&config.paths.state, config.limits, config.fail_safe.clone())?;
    let options = DatapathOptions {
        pins: config.paths.pins.clone(),
        packet_log,
        accelerate_from: config.limits.accelerate_from,
    };
    let mut datapath = Datapath::open(&options).context("cannot open the data path")?;
    if is_in_force {
        store::refuse_emptied(&config.paths.state, &store.state(), datapath.revision())?;
    }
    warn_of_older(store.state().revision, datapath.revision());
    let observer = Observer::new(datapath.counters()?);
    let tasks = TaskTracker::new();
    if let Some(log) = datapath.start_packet_log()? {
        tasks.spawn(until(shutdown.clone(), "the packet log", log.run()));
    }
    let events = follow(datapath.events()?, observer.clone());
    tasks.spawn(until(shutdown.clone(), "the sampled drops", events));
    let (reconciler, switch, status) = Reconciler::new(ReconcilerParts {
        datapath,
        state: store.watch(),
        interfaces: config.interfaces.clone(),
        fail_safe: config.fail_safe.clone(),
        on_exit: config.on_exit,
    })
    .context("cannot follow the host's interfaces")?;
    let reconciling = tasks.spawn(reconciler.run(shutdown.clone()));
    let tidying = expiry::tidy(store.clone());
    tasks.spawn(shutdown.clone().run_until_cancelled_owned(tidying));
    if let Err(error) = auth::make_first(&store, &config.paths.state).await {
        tracing::warn!("no first API key was made ({error}): make one with `filterctl key create`");
    }
    let auth = Auth::new(store.clone(), &config.admin);
    tasks.spawn(auth.clone().save_uses(shutdown.clone()));
    let listener = api::TlsListener::new(&config)?;
    let proxy = make_proxy(&config, &store, &shutdown);
    let control = Control::new(store, status.clone(), switch, observer, auth)
        .with_outbound(&config.outbound)
        .with_listener(listener.as_ref().map(api::TlsListener::status))
        .with_proxy(proxy.as_ref().map(Proxy::view));
    let proxying = proxy.map(|proxy| tasks.spawn(proxy.run()));
    if let Some(listener) = listener {
        tasks.spawn(listener.serve(control.clone(), shutdown.clone()));
    }
    let socket = api::bind(&config).context("cannot open the control socket")?;
    let serving = tasks.spawn(api::serve(socket, control, shutdown.clone()));
    tasks.spawn(tell_systemd(status, shutdown.clone()));
    tasks.close();
    let outcome = tokio::select! {
        served = serving => served.context("the control socket's task failed"),
        reconciled = reconciling => reconciled.context("the reconciler's task failed"),
        Some(proxied) = OptionFuture::from(proxying) => {
            proxied.context("the proxy's task failed").and_then(|done| done.context("the proxy failed"))
        }
    };
    shutdown.cancel();
    // Not fatal: whatever is still open is closed with the process, and the
    // database with its journal is whole at any time.
    let ended = async {
        tasks.wait().await;
        closing.closed().await;
    };
    if tokio::time::timeout(STOP, ended).await.is_err() {
        tracing::warn!("some tasks did not end in time");
    }
    outcome
}

/// A backup that was put back is meant to be older; a journal that was damaged
/// makes a database so without anybody's will.
fn warn_of_older(saved: u64, in_force: u64) {
    if saved < in_force {
        tracing::warn!(
            saved,
            in_force,
            "the database is older than what the kernel filters by: unless a backup was put back, changes were lost; what is saved comes into force now"
        );
    }
}

/// The proxy, if the configuration has listeners for it.
fn make_proxy(
    config: &Config,
    store: &store::Handle,
    shutdown: &CancellationToken,
) -> Option<Proxy> {
    let parts = ProxyParts {
        listeners: config.listeners.clone(),
        outbound: config.outbound.clone(),
        fail_safe: config.fail_safe.clone(),
        connections: config.limits.proxy_connections,
        directory: config.paths.state.clone(),
        state: store.watch(),
    };
    (!config.listeners.is_empty()).then(|| Proxy::new(parts, shutdown.clone()))
}

fn stop_on_signals(shutdown: &CancellationToken) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        tracing::info!("stopping");
        shutdown.cancel();
    });
    Ok(())
}

async fn until(
    shutdown: CancellationToken,
    what: &'static str,
    work: impl Future<Output = std::io::Result<()>>,
) {
    if let Some(Err(error)) = shutdown.run_until_cancelled(work).await {
        tracing::error!(%error, "cannot follow {what} any more");
    }
}

/// Tells systemd that the daemon is ready, what it does, and that it lives:
/// the watchdog is fed by the status that the reconciler publishes.
async fn tell_systemd(mut status: watch::Receiver<Status>, shutdown: CancellationToken) {
    let started = async {
        let first = status.wait_for(|status| status.looks > 0).await;
        first.map(|status| summary(&status)).ok()
    };
    let Some(Some(text)) = shutdown.run_until_cancelled(started).await else { return };
    notify(&[NotifyState::Ready, NotifyState::Status(&text)]);
    while let Some(Ok(())) = shutdown.run_until_cancelled(status.changed()).await {
        let text = summary(&status.borrow_and_update());
        notify(&[NotifyState::Watchdog, NotifyState::Status(&text)]);
    }
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot tell systemd");
    }
}

fn summary(status: &Status) -> String {
    match &status.phase {
        Phase::Degraded(reason) => format!("filter {}, degraded: {reason}", status.filter()),
        Phase::NeverRun | Phase::Applying | Phase::Idle => {
            format!("filter {}, revision {}", status.filter(), status.desired_revision)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no such luck");
        let path = PathBuf::from("/there");
        let error =
            anyhow::Error::from(OpenError::Directory { path, source }).context("cannot start");
        assert_eq!(told(&error), "cannot start: state directory /there: no such luck");
        assert_eq!(told(&anyhow::anyhow!("one").context("two")), "two: one");
    }
}
