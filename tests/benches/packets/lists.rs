//! Lists to filter by: random ones, and the routing table of the internet.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::{Context as _, Result};
use filter_tests::world::Family;
use flate2::read::GzDecoder;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use crate::cover::Cover;

/// What a list is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// Half networks, half addresses.
    Random,
    /// Random addresses.
    Bare,
    /// The routing table as it is.
    Table,
    /// The routing table, aggregated.
    Aggregated,
}

/// A list of one family.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) origin: Origin,
    pub(crate) family: Family,
    pub(crate) networks: Vec<IpNet>,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Bare => "bare addresses",
            Self::Table => "routing table",
            Self::Aggregated => "routing table, aggregated",
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.networks.len();
        write!(f, "{count} entries, {}, IP{}", self.origin.name(), self.family.name())
    }
}

impl List {
    /// Half /24 and half /32, or half /48 and half /128 within 2000::/3; the
    /// same for the same seed, and none twice.
    pub(crate) fn random(family: Family, entries: usize, seed: u64) -> Self {
        let lengths = if family.is_v6() { [48, 128] } else { [24, 32] };
        Self { origin: Origin::Random, family, networks: draw(family, entries, lengths, seed) }
    }

    /// Addresses alone.
    pub(crate) fn bare(family: Family, entries: usize, seed: u64) -> Self {
        let lengths = if family.is_v6() { [128, 128] } else { [32, 32] };
        Self { origin: Origin::Bare, family, networks: draw(family, entries, lengths, seed) }
    }

    /// The routing table of a family, as it is and aggregated.
    pub(crate) fn table(path: &Path, family: Family) -> Result<[Self; 2]> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut networks: Vec<IpNet> = Vec::new();
        for line in BufReader::new(GzDecoder::new(file)).lines() {
            let line = line?;
            let network: IpNet = line.parse().with_context(|| format!("{line:?}"))?;
            let is_v6 = matches!(network, IpNet::V6(_));
            if is_v6 == family.is_v6() {
                networks.push(network);
            }
        }
        let table = Self { origin: Origin::Table, family, networks };
        let aggregated = table.aggregated();
        Ok([table, aggregated])
    }

    /// The same addresses in as few networks as can be.
    pub(crate) fn aggregated(&self) -> Self {
        let networks = IpNet::aggregate(&self.networks);
        Self { origin: Origin::Aggregated, family: self.family, networks }
    }

    /// Which addresses it covers.
    pub(crate) fn cover(&self) -> Cover {
        Cover::new(&self.networks)
    }

    /// As filterd takes them.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.networks.iter().map(text).collect()
    }
}

/// An address alone goes without its length.
pub(crate) fn text(network: &IpNet) -> String {
    match network.prefix_len() == network.max_prefix_len() {
        true => network.addr().to_string(),
        false => network.to_string(),
    }
}

/// Any address that a packet may come from: martians are refused before a list
/// is asked.
pub(crate) fn random_address(family: Family, random: &mut Xoshiro256PlusPlus) -> IpAddr {
    loop {
        let address = match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(random.random::<u32>())),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(random.random::<u128>() >> 3 | 0x2000 << 112)),
        };
        if is_usable(address) {
            return address;
        }
    }
}

/// Whether a packet may come from it: no martian, nor of the benchmark's own
/// network; of IPv6, only what is given out today.
pub(crate) fn is_usable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !matches!(v4.octets()[0], 0 | 10 | 127 | 224..),
        IpAddr::V6(v6) => v6.octets()[0] & 0xe0 == 0x20,
    }
}

fn draw(family: Family, entries: usize, lengths: [u8; 2], seed: u64) -> Vec<IpNet> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut seen = HashSet::with_capacity(entries);
    let mut networks = Vec::with_capacity(entries);
    while networks.len() < entries {
        let length = lengths[networks.len() % 2];
        let network = network(random_address(family, &mut random), length);
        if seen.insert(network) {
            networks.push(network);
        }
    }
    networks
}

/// The network of a length that an address lies in.
pub(crate) fn network(address: IpAddr, length: u8) -> IpNet {
    let fits = "the length is one of the family";
    match address {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new(v4, length).expect(fits).trunc()),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new(v6, length).expect(fits).trunc()),
    }
}
