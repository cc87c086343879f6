//! The installed filterd, which has attached its own program.

use anyhow::Result;
use filter_common::reason::Reason;
use filter_common::verdict::Verdict;
use filter_tests::counter_table::CounterTable;
use filter_tests::daemon::{AppPath, Daemon};
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::world::World;

use super::filter::{Filter, Held};
use crate::lists::List;
use crate::stage::{Stage, protected_port};

/// How filterd is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// One app on one port.
    Port,
    /// One app for the whole host.
    HostWide,
    /// One app on one port, and no tables in front of the tries.
    TriesAlone,
}

/// A running filterd with one app.
pub(crate) struct Filterd<'a> {
    variant: Variant,
    stage: &'a Stage,
    daemon: Daemon<'a>,
    app: AppPath,
    counters: CounterTable,
}

impl Variant {
    pub(crate) const ALL: [Self; 3] = [Self::Port, Self::HostWide, Self::TriesAlone];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Port => super::FILTERD,
            Self::HostWide => super::HOST_WIDE,
            Self::TriesAlone => super::TRIES_ALONE,
        }
    }

    fn scope(self) -> String {
        match self {
            Self::Port | Self::TriesAlone => protected_port(),
            Self::HostWide => "host".to_owned(),
        }
    }
}

impl<'a> Filterd<'a> {
    /// Starts it.
    pub(crate) fn start(stage: &'a Stage, variant: Variant) -> Result<Self> {
        let daemon = stage.start();
        let rules = AppRules::new(&[&variant.scope()]);
        let app = daemon.control().create_app("measured", &rules, Mode::Enforce);
        let counters = CounterTable::open(&stage.pin("COUNTERS"))?;
        Ok(Self { variant, stage, daemon, app, counters })
    }
}

impl Filter for Filterd<'_> {
    fn name(&self) -> &'static str {
        self.variant.name()
    }

    fn world(&self) -> &World {
        &self.stage.world
    }

    fn hold(&mut self, list: &List) -> Result<Held> {
        self.daemon.control().import(&self.app, &list.texts(), true);
        Ok(Held::Whole)
    }

    fn refused(&self) -> Result<Option<u64>> {
        let counters = self.counters.read()?;
        let refused = counters.iter().filter(|((_, reason, verdict), _)| {
            *reason == Reason::NotListed && *verdict == Verdict::Drop
        });
        Ok(Some(refused.map(|(_, (packets, _))| packets).sum()))
    }
}
