//! Which interfaces should carry the filter, and making it so.

use super::network::{Link, Network};
use super::status::{InterfaceState, InterfaceStatus};
use crate::config::InterfaceRule;
use crate::datapath::{AttachError, AttachMode, Datapath};

/// Puts the filter on every interface that a rule names and takes it off all
/// others. Answers what became of each.
pub(super) fn cover(
    datapath: &mut Datapath,
    network: &Network,
    rules: &[InterfaceRule],
    detached: bool,
) -> Vec<InterfaceStatus> {
    let wanted = wanted(network, rules);
    let off = if detached { datapath.detach_all() } else { Ok(()) };
    let held: Vec<u32> = datapath.attached().collect();
    for index in held {
        // A link that the listing left out may be there all the same.
        let gone = match network.links.contains_key(&index) {
            true => !wanted.iter().any(|(link, _)| link.index == index),
            false => !datapath.is_alive(index),
        };
        if gone {
            detach(datapath, index, network);
        }
    }
    let mut statuses: Vec<InterfaceStatus> = wanted
        .into_iter()
        .map(|(link, mode)| {
            let state = match &off {
                Err(error) => {
                    InterfaceState::Refused(format!("cannot take the filter off: {error}"))
                }
                Ok(()) if detached => InterfaceState::Detached,
                Ok(()) => cover_one(datapath, link, mode),
            };
            InterfaceStatus { name: link.name.clone(), index: Some(link.index), asked: mode, state }
        })
        .collect();
    let unmatched =
        rules.iter().filter(|rule| !network.links.values().any(|link| names(rule, link)));
    statuses.extend(unmatched.map(|rule| InterfaceStatus {
        name: rule.pattern.clone(),
        index: None,
        asked: rule.mode,
        state: InterfaceState::Missing,
    }));
    statuses
}

/// The interfaces that a rule names; the first rule that does decides.
fn wanted<'a>(network: &'a Network, rules: &[InterfaceRule]) -> Vec<(&'a Link, AttachMode)> {
    let links = network.links.values();
    links
        .filter_map(|link| Some((link, rules.iter().find(|rule| names(rule, link))?.mode)))
        .collect()
}

/// A rule never names the loopback device: local processes are no sources.
fn names(rule: &InterfaceRule, link: &Link) -> bool {
    !link.is_loopback && rule.names(&link.name)
}

fn detach(datapath: &mut Datapath, index: u32, network: &Network) {
    let name = network.links.get(&index).map_or("(gone)", |link| link.name.as_str());
    match datapath.detach(index) {
        Ok(()) => tracing::info!(interface = name, index, "took the filter off"),
        Err(error) => tracing::warn!(interface = name, index, %error, "cannot take the filter off"),
    }
}

fn cover_one(datapath: &mut Datapath, link: &Link, mode: AttachMode) -> InterfaceState {
    if !link.is_ethernet {
        let reason = "frames here have no Ethernet header (a tunnel or point-to-point device); the filter reads Ethernet only: protect the device below it, which judges the outer source";
        return InterfaceState::Refused(reason.to_owned());
    }
    if datapath.attached().any(|index| index == link.index) {
        // In another network namespace a device may have the same index: netlink
        // speaks of this one's.
        let ours = datapath.facts().id;
        let program = link.program.filter(|program| program.id == ours);
        if let Some(program) = program.filter(|_| datapath.is_alive(link.index)) {
            return InterfaceState::Attached { got: program.mode };
        }
        // Somebody forced our program off, or took the device away: make a new
        // link.
        if let Err(error) = datapath.detach(link.index) {
            return InterfaceState::Refused(error.to_string());
        }
    }
    attach(datapath, link, mode)
}

fn attach(datapath: &mut Datapath, link: &Link, mode: AttachMode) -> InterfaceState {
    match datapath.attach(link.index, mode) {
        Ok(got) => {
            tracing::info!(
                interface = link.name,
                index = link.index,
                mode = got.name(),
                "put the filter on"
            );
            InterfaceState::Attached { got }
        }
        Err(AttachError::Busy) => {
            let holder = link
                .program
                .map_or_else(String::new, |program| format!(" (program id {})", program.id));
            InterfaceState::Refused(format!(
                "another XDP program is attached{holder}: detach it, or leave this interface out of filterd.toml"
            ))
        }
        Err(error) => InterfaceState::Refused(error.to_string()),
    }
}
