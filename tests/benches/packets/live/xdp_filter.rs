//! xdp-filter of xdp-tools: a hash of addresses; whoever is not in it is
//! dropped. It holds no networks, so it gets addresses alone, as many as its
//! map takes.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::Result;
use aya::Pod;
use aya::maps::{Map, MapData, PerCpuHashMap};
use filter_tests::pins::Pins;
use filter_tests::world::{Family, HOST_INTERFACE, World};

use super::filter::{Filter, Held};
use super::tool;
use crate::lists::List;

/// The name of its rows.
pub(crate) const NAME: &str = "xdp-filter, bare addresses";

/// It pins at one place whoever runs it, so here it sees pins of its own there.
const WITH_OWN_PINS: &str = r#"mount --bind "$0" /sys/fs/bpf && exec "$@""#;

const SEED: u64 = 0x5eed_0002;

/// xdp-filter in a world of its own.
pub(crate) struct XdpFilter {
    world: World,
    pins: Pins,
    is_loaded: bool,
}

impl XdpFilter {
    pub(crate) fn new() -> Result<Self> {
        let pins = Pins::new();
        fs::create_dir(pins.path())?;
        Ok(Self { world: World::new(), pins, is_loaded: false })
    }

    fn run(&self, line: &str) -> Result<()> {
        let mut command = tool::command(&self.world.host, "unshare --mount sh -c");
        command.arg(WITH_OWN_PINS).arg(self.pins.path()).arg("xdp-filter");
        command.args(line.split_ascii_whitespace());
        tool::run(command)
    }

    fn unload(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_loaded) {
            self.run(&format!("unload {HOST_INTERFACE}"))?;
        }
        Ok(())
    }

    /// Loads it for one family, which is the fastest of its programs.
    fn load(&mut self, family: Family) -> Result<()> {
        let feature = if family.is_v6() { "ipv6" } else { "ipv4" };
        self.run(&format!(
            "load --mode native --policy deny --features {feature} {HOST_INTERFACE}"
        ))?;
        self.is_loaded = true;
        Ok(())
    }

    /// Adds the first address with the tool, and the others beside it in its
    /// map: the tool takes one address a call.
    fn fill(&self, map: &Path, bare: &List) -> Result<()> {
        let addresses: Vec<IpAddr> = bare.networks.iter().map(|one| one.addr()).collect();
        let Some(first) = addresses.first() else { return Ok(()) };
        self.run(&format!("ip --mode src {first}"))?;
        match bare.family {
            Family::V4 => repeat(map, addresses.iter().filter_map(octets4)),
            Family::V6 => repeat(map, addresses.iter().filter_map(octets6)),
        }
    }
}

/// Gives every key the value of the first one.
fn repeat<K: Pod>(map: &Path, mut keys: impl Iterator<Item = K>) -> Result<()> {
    let map = Map::PerCpuHashMap(MapData::from_pin(map)?);
    let mut map = PerCpuHashMap::<_, K, u64>::try_from(map)?;
    let Some(first) = keys.next() else { return Ok(()) };
    for key in keys {
        let value = map.get(&first, 0)?;
        map.insert(key, value, 0)?;
    }
    Ok(())
}

fn octets4(address: &IpAddr) -> Option<[u8; 4]> {
    match address {
        IpAddr::V4(v4) => Some(v4.octets()),
        IpAddr::V6(_) => None,
    }
}

fn octets6(address: &IpAddr) -> Option<[u8; 16]> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(v6.octets()),
    }
}

impl Filter for XdpFilter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn hold(&mut self, list: &List) -> Result<Held> {
        self.unload()?;
        self.load(list.family)?;
        let map = self.pins.path().join(format!("xdp-filter/filter_ip{}", list.family.name()));
        let capacity = MapData::from_pin(&map)?.info()?.max_entries();
        if list.networks.len() > usize::try_from(capacity)? {
            return Ok(Held::Nothing(format!("holds {capacity} addresses")));
        }
        let bare = List::bare(list.family, list.networks.len(), SEED);
        self.fill(&map, &bare)?;
        Ok(Held::Instead(bare))
    }
}
