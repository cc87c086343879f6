//! Sources to send from, drawn from a stated distribution.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use filter_tests::world::Family;
use ipnet::IpNet;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use crate::cover::{Cover, number};
use crate::lists::{List, is_usable, random_address};

/// How many times as many sources are tried as are wanted.
const TRIES: usize = 64;

const SEED: u64 = 0x5eed_0003;

/// A distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sources {
    /// Any address but martians; of IPv6, any within 2000::/3.
    Anywhere,
    /// The same, but only such as are not listed.
    Unlisted,
    /// Within the list's networks.
    Listed,
    /// Not listed, and as near to an entry as can be: in the /24 (or /64) of a
    /// longer entry, sharing a random part of what follows; with a list that
    /// has few of those, in the network beside an entry.
    Adversarial,
}

impl Sources {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::Unlisted => "unlisted",
            Self::Listed => "listed",
            Self::Adversarial => "adversarial",
        }
    }

    /// So many of them; nothing when the lists leave too few.
    pub(crate) fn draw(self, list: &List, others: &[&List], count: usize) -> Option<Vec<IpAddr>> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let covers: Vec<Cover> =
            std::iter::once(list).chain(others.iter().copied()).map(List::cover).collect();
        let near = near(list);
        let tries = std::iter::repeat_with(|| match self {
            Self::Anywhere | Self::Unlisted => random_address(list.family, &mut random),
            Self::Listed => inside(pick(&list.networks, &mut random), &mut random),
            Self::Adversarial => beside(pick(&near, &mut random), &mut random),
        });
        let fits = |address: &IpAddr| match self {
            Self::Anywhere => true,
            Self::Listed => is_usable(*address),
            Self::Unlisted | Self::Adversarial => {
                is_usable(*address) && !covers.iter().any(|cover| cover.has(*address))
            }
        };
        let drawn: Vec<IpAddr> = tries.take(count * TRIES).filter(fits).take(count).collect();
        (drawn.len() == count).then_some(drawn)
    }
}

/// The entries that leave a block mixed; all of them when these are too few to
/// stand for the list.
fn near(list: &List) -> Vec<IpNet> {
    let block = block(list.family);
    let long: Vec<IpNet> =
        list.networks.iter().copied().filter(|network| network.prefix_len() > block).collect();
    if long.len() * 10 < list.networks.len() { list.networks.clone() } else { long }
}

fn block(family: Family) -> u8 {
    if family.is_v6() { 64 } else { 24 }
}

fn pick(networks: &[IpNet], random: &mut Xoshiro256PlusPlus) -> IpNet {
    networks[random.random_range(0..networks.len())]
}

fn inside(network: IpNet, random: &mut Xoshiro256PlusPlus) -> IpAddr {
    let host_bits = network.max_prefix_len() - network.prefix_len();
    address(network, number(network.network()) | noise(host_bits, random))
}

/// An address that shares with an entry at least its block, or all but the last
/// bit of its prefix, and then differs.
fn beside(network: IpNet, random: &mut Xoshiro256PlusPlus) -> IpAddr {
    let block = block(if network.max_prefix_len() == 32 { Family::V4 } else { Family::V6 });
    let length = network.prefix_len();
    let shared =
        if length > block { random.random_range(block..length) } else { length.max(1) - 1 };
    let rest = network.max_prefix_len() - shared;
    let differing = number(network.network()) ^ 1 << (rest - 1);
    address(network, differing & !mask(rest - 1) | noise(rest - 1, random))
}

fn noise(bits: u8, random: &mut Xoshiro256PlusPlus) -> u128 {
    random.random::<u128>() & mask(bits)
}

fn mask(bits: u8) -> u128 {
    1_u128.checked_shl(bits.into()).map_or(u128::MAX, |bit| bit - 1)
}

fn address(like: IpNet, number: u128) -> IpAddr {
    match like {
        IpNet::V4(_) => {
            Ipv4Addr::from(u32::try_from(number).expect("IPv4 addresses have 32 bits")).into()
        }
        IpNet::V6(_) => Ipv6Addr::from(number).into(),
    }
}
