//! nftables: one interval set, and one rule that drops whoever is not in it.
//! Less than filterd does: no port is looked at, and nothing is counted.

use std::fmt::Write as _;

use anyhow::Result;
use filter_tests::world::{HOST_INTERFACE, World};

use super::filter::{Filter, Held};
use super::tool;
use crate::lists::{List, text};

/// The name of the rows at the netdev hook.
pub(crate) const INGRESS: &str = "nftables, netdev ingress";
/// The name of the rows in prerouting.
pub(crate) const RAW: &str = "nftables, inet raw";

/// Where the rule sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Ingress,
    Raw,
}

/// nftables in a world of its own.
pub(crate) struct Nftables {
    hook: Hook,
    world: World,
    is_ready: bool,
}

impl Hook {
    fn family(self) -> &'static str {
        match self {
            Self::Ingress => "netdev",
            Self::Raw => "inet",
        }
    }

    fn chain(self) -> String {
        match self {
            Self::Ingress => format!("hook ingress device {HOST_INTERFACE} priority 0"),
            Self::Raw => "hook prerouting priority raw".to_owned(),
        }
    }
}

impl Nftables {
    pub(crate) fn new(hook: Hook) -> Self {
        Self { hook, world: World::new(), is_ready: false }
    }

    /// Networks of a list may lie in each other, intervals of a set must not:
    /// the set gets the same addresses aggregated.
    fn ruleset(&self, list: &List) -> String {
        let (kind, field) = match list.family.is_v6() {
            false => ("ipv4_addr", "ip saddr"),
            true => ("ipv6_addr", "ip6 saddr"),
        };
        let (family, chain) = (self.hook.family(), self.hook.chain());
        let elements: Vec<String> = list.aggregated().networks.iter().map(text).collect();
        let mut rules = String::new();
        write!(
            rules,
            "table {family} bench\ndelete table {family} bench\ntable {family} bench {{\n\
             set allowed {{ type {kind}; flags interval; elements = {{\n{}\n}}\n}}\n\
             chain judge {{\ntype filter {chain}\n{field} != @allowed drop\n}}\n}}\n",
            elements.join(",\n"),
        )
        .expect("a String takes everything");
        rules
    }
}

impl Filter for Nftables {
    fn name(&self) -> &'static str {
        match self.hook {
            Hook::Ingress => INGRESS,
            Hook::Raw => RAW,
        }
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn hold(&mut self, list: &List) -> Result<Held> {
        if !self.is_ready {
            tool::enable_queue(&self.world.host, HOST_INTERFACE)?;
            self.is_ready = true;
        }
        let nft = tool::command(&self.world.host, "nft -f -");
        match tool::feed(nft, &self.ruleset(list))? {
            Some(()) => Ok(Held::Whole),
            None => Ok(Held::Nothing(tool::too_slow())),
        }
    }
}
