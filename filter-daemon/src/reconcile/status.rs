//! What is in force, as the front ends see it.

use std::time::Duration;

use crate::datapath::{AttachMode, ProgramFacts};

/// What the reconciler knows. Starts as "never run".
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Where the work stands.
    pub phase: Phase,
    /// The store's revision that is asked for.
    pub desired_revision: u64,
    /// The revision that was read back from the kernel.
    pub applied_revision: Option<u64>,
    /// Whether an operator took the filter off.
    pub detached: bool,
    /// Every interface that matches the configuration, and every configured
    /// name that matches none.
    pub interfaces: Vec<InterfaceStatus>,
    /// The loaded program.
    pub program: Option<ProgramFacts>,
    /// Kernel memory of the tables in front of long lists.
    pub table_bytes: u64,
    /// Grows with every look at the host: the sign of life that the watchdog
    /// is fed with.
    pub looks: u64,
}

/// Where the reconciler's work stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has been applied since the start.
    #[default]
    NeverRun,
    /// A change is on its way into the kernel.
    Applying,
    /// The kernel holds what is desired.
    Idle,
    /// The kernel holds the last good state, for this reason.
    Degraded(String),
}

/// One interface, or one pattern that matches none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceStatus {
    /// Its name, or the pattern.
    pub name: String,
    /// Its index, if it exists.
    pub index: Option<u32>,
    /// The mode that was asked for.
    pub asked: AttachMode,
    /// What became of it.
    pub state: InterfaceState,
}

/// Whether the filter is on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterfaceState {
    /// It is; native or generic, as read back.
    Attached {
        /// What was got: never `AttachMode::Auto`.
        got: AttachMode,
    },
    /// It is not, and should be.
    Refused(String),
    /// No such interface exists now.
    Missing,
    /// It is not, because an operator said so.
    Detached,
}

/// Whether a change is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Read back from the kernel.
    Yes,
    /// Kept, but not in force, for this reason.
    No(String),
}

impl Applied {
    /// How long a front end waits for a change to come into force.
    pub const PATIENCE: Duration = Duration::from_secs(30);
}

impl Status {
    /// Whether the reconciler is done with a revision, well or badly.
    pub fn settles(&self, revision: u64) -> bool {
        self.applied_revision >= Some(revision)
            || (self.desired_revision >= revision && matches!(self.phase, Phase::Degraded(_)))
    }

    /// What became of a revision.
    pub fn applied(&self, revision: u64) -> Applied {
        match &self.phase {
            _ if self.applied_revision >= Some(revision) => self.carried(),
            Phase::Degraded(reason) => Applied::No(reason.clone()),
            Phase::NeverRun | Phase::Applying | Phase::Idle => {
                Applied::No("the kernel has not taken it yet".to_owned())
            }
        }
    }

    /// Whether what the kernel holds meets packets: not where every interface
    /// that is there is refused.
    fn carried(&self) -> Applied {
        let refused = self.interfaces.iter().find_map(|interface| match &interface.state {
            InterfaceState::Refused(reason) => Some((&interface.name, reason)),
            InterfaceState::Attached { .. }
            | InterfaceState::Missing
            | InterfaceState::Detached => None,
        });
        match refused {
            Some((name, reason)) if self.filter() == "off" => {
                Applied::No(format!("the filter is on no interface; {name}: {reason}"))
            }
            _ => Applied::Yes,
        }
    }

    /// How much of the host the filter covers, in one word.
    pub fn filter(&self) -> &'static str {
        let attached = |i: &&InterfaceStatus| matches!(i.state, InterfaceState::Attached { .. });
        let expected = |i: &&InterfaceStatus| !matches!(i.state, InterfaceState::Missing);
        match self.interfaces.iter().filter(attached).count() {
            _ if self.detached => "detached",
            0 => "off",
            n if n == self.interfaces.iter().filter(expected).count() => "on",
            _ => "partly",
        }
    }
}
