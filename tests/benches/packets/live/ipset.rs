//! ipset under iptables: one `hash:net` set, and one rule in the raw table that
//! drops whoever is not in it. Less than filterd does: no port is looked at.

use std::fmt::Write as _;

use anyhow::Result;
use filter_tests::world::{Family, HOST_INTERFACE, World};

use super::filter::{Filter, Held};
use super::tool;
use crate::lists::{List, text};

/// The name of its rows.
pub(crate) const NAME: &str = "iptables raw + ipset";

/// ipset in a world of its own.
pub(crate) struct Ipset {
    world: World,
    family: Option<Family>,
}

impl Ipset {
    pub(crate) fn new() -> Self {
        Self { world: World::new(), family: None }
    }

    /// Makes the rule and its set, when another family was filtered before.
    fn prepare(&mut self, family: Family) -> Result<()> {
        let host = &self.world.host;
        if self.family == Some(family) {
            return Ok(());
        }
        match self.family {
            None => tool::enable_queue(host, HOST_INTERFACE)?,
            Some(before) => tool::run(host, &format!("{} -t raw -F", iptables(before)))?,
        }
        let empty = List { family, ..List::bare(family, 0, 0) };
        tool::run(host, "ipset destroy")?;
        tool::feed(host, "ipset restore", &set(&empty, "allowed"))?;
        let rule = format!("-A PREROUTING -i {HOST_INTERFACE} -m set ! --match-set allowed src");
        tool::run(host, &format!("{} -t raw {rule} -j DROP", iptables(family)))?;
        self.family = Some(family);
        Ok(())
    }
}

impl Filter for Ipset {
    fn name(&self) -> &'static str {
        NAME
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn hold(&mut self, list: &List) -> Result<Held> {
        self.prepare(list.family)?;
        let swap = format!("{}swap fresh allowed\ndestroy fresh\n", set(list, "fresh"));
        match tool::feed(&self.world.host, "ipset restore", &swap)? {
            Some(()) => Ok(Held::Whole),
            None => Ok(Held::Nothing(tool::too_slow())),
        }
    }
}

/// The lines that make a set of a list.
fn set(list: &List, name: &str) -> String {
    let family = if list.family.is_v6() { "inet6" } else { "inet" };
    let room = list.networks.len().next_power_of_two().max(1024);
    let mut lines =
        format!("create {name} hash:net family {family} hashsize {room} maxelem {room}\n");
    for network in &list.networks {
        writeln!(lines, "add {name} {}", text(network)).expect("a String takes everything");
    }
    lines
}

fn iptables(family: Family) -> &'static str {
    if family.is_v6() { "ip6tables" } else { "iptables" }
}
