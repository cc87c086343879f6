//! The loop: what has changed, what to do about it, what to tell.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::block_in_place;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::boot_clock::BootClock;
use super::hits::HitSweep;
use super::interfaces::cover;
use super::network::{Monitor, Network};
use super::status::{InterfaceState, InterfaceStatus, Phase, Status};
use super::{Switch, SwitchRequest};
use crate::config::{FailSafe, InterfaceRule, OnExit};
use crate::datapath::{AttachMode, Datapath, DatapathError};
use crate::policy::{self, Host, Interface};
use crate::state::State;

/// How often the host is looked at without being told to.
const LOOK: Duration = Duration::from_secs(1);

/// What is out of force is freed when nothing has changed for so long: a change
/// that comes meanwhile has to wait a little.
const CALM: Duration = Duration::from_millis(900);

/// How long it may lie there when changes never end.
const LONGEST_UNREST: Duration = Duration::from_secs(30);

/// What a reconciler is made of.
pub struct ReconcilerParts {
    /// The kernel side.
    pub datapath: Datapath,
    /// What is desired.
    pub state: watch::Receiver<Arc<State>>,
    /// Which interfaces carry the filter.
    pub interfaces: Vec<InterfaceRule>,
    /// Sources that pass before any list.
    pub fail_safe: Vec<FailSafe>,
    /// What an orderly stop leaves behind.
    pub on_exit: OnExit,
}

/// Makes the kernel hold what is desired.
pub struct Reconciler {
    parts: ReconcilerParts,
    monitor: Monitor,
    /// None until it has been read once: nothing is applied before.
    network: Option<Network>,
    boot_clock: BootClock,
    booted: i64,
    switch: mpsc::Receiver<SwitchRequest>,
    status: watch::Sender<Status>,
    adopted: bool,
    detached: bool,
    /// Whether tables are to be mended when there is time for it.
    is_to_mend: bool,
    /// Since when there is something to free.
    to_free: Option<Instant>,
    /// Since when there is no reason not to free it.
    calm: Instant,
    sweep: HitSweep,
}

impl Reconciler {
    /// Puts a reconciler together; nothing is applied yet.
    pub fn new(parts: ReconcilerParts) -> std::io::Result<(Self, Switch, watch::Receiver<Status>)> {
        let (sender, switch) = Switch::new();
        let (status, receiver) = watch::channel(Status::default());
        let monitor = Monitor::start()?;
        let reconciler = Self {
            parts,
            monitor,
            network: None,
            boot_clock: BootClock::default(),
            booted: 0,
            switch,
            status,
            adopted: false,
            detached: false,
            is_to_mend: false,
            to_free: Some(Instant::now()),
            calm: Instant::now(),
            sweep: HitSweep::default(),
        };
        Ok((reconciler, sender, receiver))
    }

    /// Runs until told to stop.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.look_at_host().await;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                changed = self.parts.state.changed() => match changed {
                    Ok(()) => self.apply(),
                    Err(_) => break,
                },
                Some((detach, done)) = self.switch.recv() => {
                    self.detached = detach;
                    tracing::warn!(detach, "an operator switched the filter");
                    self.look_at_host().await;
                    // The front end may have gone away meanwhile.
                    let _ = done.send(());
                }
                () = self.monitor.changed() => self.look_at_host().await,
                () = std::future::ready(()), if self.is_to_mend => self.mend(),
                () = std::future::ready(()), if self.is_time_to_free() => self.free_some(),
                _ = look.tick() => {
                    if self.monitor.is_broken() {
                        self.restart_monitor();
                    }
                    self.look_at_host().await;
                    self.mend();
                    self.sweep.start(self.parts.datapath.hits(), &self.parts.state);
                }
            }
        }
        self.leave();
    }

    fn restart_monitor(&mut self) {
        match Monitor::start() {
            Ok(monitor) => self.monitor = monitor,
            Err(error) => {
                tracing::warn!(%error, "cannot follow the host's interfaces; looking once a second")
            }
        }
    }

    /// Reads links and addresses, and does what follows from them.
    async fn look_at_host(&mut self) {
        match self.monitor.read().await {
            Ok(network) => {
                let (before, was_adopted) = (self.host(), self.adopted);
                self.network = Some(network);
                self.booted = self.boot_clock.look();
                let moved = before != self.host();
                let degraded = self.status.borrow().phase != Phase::Idle;
                if moved || degraded {
                    self.apply();
                }
                // Taking the filter off needs no policy.
                if self.adopted || self.detached || self.adopt_last_good() {
                    self.cover(was_adopted).await;
                }
                self.status.send_modify(|status| status.looks += 1);
            }
            Err(error) => tracing::warn!(%error, "cannot read the host's interfaces"),
        }
    }

    fn host(&self) -> Option<Host> {
        self.network.as_ref().map(|network| self.host_of(network))
    }

    fn host_of(&self, network: &Network) -> Host {
        let interface =
            |link: &super::network::Link| Interface { name: link.name.clone(), index: link.index };
        Host {
            fail_safe: self.parts.fail_safe.clone(),
            interfaces: network.links.values().map(interface).collect(),
            aliases: network.aliases.clone(),
            ephemeral: network.ephemeral,
            booted: self.booted,
        }
    }

    /// Puts the desired state in force.
    fn apply(&mut self) {
        let Some(host) = self.host() else { return };
        let state = Arc::clone(&self.parts.state.borrow_and_update());
        let previous = self.status.borrow().phase.clone();
        self.status.send_modify(|status| {
            status.desired_revision = state.revision;
            if status.phase != Phase::NeverRun {
                status.phase = Phase::Applying;
            }
        });
        let result = block_in_place(|| self.try_apply(&state, &host));
        let now = Instant::now();
        self.to_free.get_or_insert(now);
        if result.is_ok() {
            self.calm = now;
        }
        let phase = match result {
            Ok(()) => Phase::Idle,
            Err(error) => Phase::Degraded(format!("{error:#}")),
        };
        if let Phase::Degraded(reason) = &phase
            && previous != phase
        {
            tracing::error!(
                revision = state.revision,
                reason,
                "the last good state stays in force"
            );
        }
        let facts = self.parts.datapath.facts();
        let table_bytes = self.parts.datapath.table_bytes();
        self.status.send_modify(|status| {
            if phase == Phase::Idle {
                status.applied_revision = Some(state.revision);
            }
            status.phase = phase;
            status.program = Some(facts);
            status.table_bytes = table_bytes;
        });
    }

    fn try_apply(&mut self, state: &State, host: &Host) -> anyhow::Result<()> {
        let policy = policy::compile(state, host)?;
        self.parts.datapath.apply(&policy)?;
        self.adopt()?;
        tracing::debug!(revision = state.revision, "in force");
        Ok(())
    }

    /// Brings tables up to date, for a few milliseconds.
    fn mend(&mut self) {
        let mended = block_in_place(|| self.parts.datapath.mend());
        self.is_to_mend = mended.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot bring tables up to date");
            false
        });
        let table_bytes = self.parts.datapath.table_bytes();
        self.status.send_if_modified(|status| {
            std::mem::replace(&mut status.table_bytes, table_bytes) != table_bytes
        });
    }

    fn is_time_to_free(&self) -> bool {
        let is_calm = self.calm.elapsed() >= CALM;
        self.to_free.is_some_and(|since| is_calm || since.elapsed() >= LONGEST_UNREST)
    }

    /// Frees some of what is out of force.
    fn free_some(&mut self) {
        match block_in_place(|| self.parts.datapath.free_some()) {
            Ok(true) => {}
            Ok(false) => self.to_free = None,
            Err(error) => {
                tracing::warn!(%error, "cannot free what the last change put out of force");
                (self.to_free, self.calm) = (Some(Instant::now()), Instant::now());
            }
        }
    }

    fn adopt(&mut self) -> Result<(), DatapathError> {
        if !self.adopted {
            for failure in self.parts.datapath.adopt_links()? {
                tracing::error!(%failure, "a filter that is on goes on with an earlier list");
            }
            self.adopted = true;
        }
        Ok(())
    }

    /// Sees to it that the filter is on the right interfaces.
    async fn cover(&mut self, was_adopted: bool) {
        if self.adopted != was_adopted {
            // Links carry this program only since then.
            match self.monitor.read().await {
                Ok(network) => self.network = Some(network),
                Err(error) => {
                    return tracing::warn!(%error, "cannot read the host's interfaces again");
                }
            }
        }
        let Self { parts, network: Some(network), detached, .. } = self else { return };
        let statuses = block_in_place(|| {
            match parts.datapath.restore_pins() {
                Ok(lost) if lost.is_empty() => {}
                Ok(lost) => {
                    tracing::warn!(interfaces = ?lost, "somebody removed pins of the filter; they are back")
                }
                Err(error) => tracing::warn!(%error, "cannot put back the pins of the filter"),
            }
            cover(&mut parts.datapath, network, &parts.interfaces, *detached)
        });
        self.status.send_modify(|status| {
            for interface in statuses.iter().filter(|i| !status.interfaces.contains(i)) {
                warn_of(interface);
            }
            status.interfaces = statuses;
            status.detached = *detached;
        });
    }

    /// The desired state could not be put in force, but the maps of an earlier
    /// daemon hold a whole policy: that one goes on.
    fn adopt_last_good(&mut self) -> bool {
        match self.adopt() {
            Ok(()) => {
                let revision = self.parts.datapath.revision();
                self.status.send_modify(|status| {
                    status.applied_revision.get_or_insert(revision);
                });
                true
            }
            Err(DatapathError::Incomplete) => false,
            Err(error) => {
                tracing::error!(%error, "cannot take over the filter that is on");
                false
            }
        }
    }

    fn leave(mut self) {
        match self.parts.on_exit {
            OnExit::Keep => tracing::info!("the filter goes on with the last list"),
            OnExit::Open => match self.parts.datapath.detach_all() {
                Ok(()) => tracing::warn!("the filter is off: on_exit is \"open\""),
                Err(error) => tracing::error!(%error, "cannot take the filter off"),
            },
        }
    }
}

fn warn_of(status: &InterfaceStatus) {
    let InterfaceStatus { name, asked, state, .. } = status;
    match state {
        InterfaceState::Refused(reason) => {
            tracing::warn!(interface = name, reason, "the filter is not on");
        }
        InterfaceState::Attached { got } if *asked != AttachMode::Auto && asked != got => {
            tracing::warn!(
                interface = name,
                asked = asked.name(),
                got = got.name(),
                "the filter stays in the mode that it was put on in: `filterctl detach` and `filterctl attach` put it on anew, and everything passes in between"
            );
        }
        InterfaceState::Attached { .. } | InterfaceState::Missing | InterfaceState::Detached => {}
    }
}
