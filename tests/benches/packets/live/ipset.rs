//! ipset under iptables: one `hash:net` set, and one rule in the raw table that
//! drops whoever is not in it. Less than filterd does: no port is looked at. Of
//! Debian's two iptables it is the legacy one, which is a tenth faster here.

use std::fmt::Write as _;

use anyhow::Result;
use filter_tests::world::{Family, HOST_INTERFACE, World};

use super::filter::{Filter, Held};
use super::tool;
use crate::lists::{List, text};

/// The name of its rows.
pub(crate) const NAME: &str = "iptables-legacy raw + ipset";

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
        match self.family {
            Some(before) if before == family => return Ok(()),
            Some(before) => self.run(&format!("{} -t raw -F", iptables(before)))?,
            None => tool::enable_queue(&self.world.host, HOST_INTERFACE)?,
        }
        self.run("ipset destroy")?;
        self.restore(&set(&List::bare(family, 0, 0), "allowed"))?;
        let rule = format!("-A PREROUTING -i {HOST_INTERFACE} -m set ! --match-set allowed src");
        self.run(&format!("{} -t raw {rule} -j DROP", iptables(family)))?;
        self.family = Some(family);
        Ok(())
    }

    fn run(&self, line: &str) -> Result<()> {
        tool::run(tool::command(&self.world.host, line))
    }

    fn restore(&self, lines: &str) -> Result<Option<()>> {
        tool::feed(tool::command(&self.world.host, "ipset restore"), lines)
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
        let lines = format!("{}swap fresh allowed\ndestroy fresh\n", set(list, "fresh"));
        Ok(self.restore(&lines)?.map_or_else(|| Held::Nothing(tool::too_slow()), |()| Held::Whole))
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
    if family.is_v6() { "ip6tables-legacy" } else { "iptables-legacy" }
}
