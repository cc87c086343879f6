//! State to policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use filter_common::address::{Address, from_octets};
use filter_common::generation::{
    FAMILY_V4, FAMILY_V6, FLAG_DHCP, FLAG_NON_IP_DROP, FailSafeRecord, MAX_FAIL_SAFE, MAX_SCOPES,
    SCOPE_PORTS, SCOPE_SERVED, ScopeRecord,
};
use filter_common::trie::TrieValue;
use ipnet::IpNet;

use super::cover::covers;
use super::specificity::specificity;
use super::{AppPolicy, Host, Policy, PolicyError};
use crate::access_list::{Prefix, PrefixSet};
use crate::app::{App, Scope};
use crate::config::FailSafe;
use crate::state::{Settings, State};

/// Whether a state could be compiled on a host whose addresses have no aliases.
pub fn check(state: &State) -> Result<(), PolicyError> {
    refuse_equal_scopes(state)?;
    refuse_equal_names(state)?;
    let interfaces = state
        .apps
        .values()
        .flat_map(|app| app.scopes.iter().filter_map(|scope| scope.interface.clone()))
        .collect::<std::collections::BTreeSet<_>>();
    let interfaces = interfaces
        .into_iter()
        .zip(1..)
        .map(|(name, index)| super::Interface { name, index })
        .collect();
    compile(state, &Host { interfaces, ..Host::default() }).map(drop)
}

/// Compiles a state for the host as it is now. Scopes on interfaces that do
/// not exist hold no packet and are left out.
pub fn compile(state: &State, host: &Host) -> Result<Policy, PolicyError> {
    let scopes = placed_scopes(state, host);
    fits(scopes.len(), MAX_SCOPES, |count, limit| PolicyError::TooManyScopes { count, limit })?;
    let modes = state.apps.values().map(|app| (app.index, app.mode)).collect();
    let covers = covers(&scopes, &modes);
    fits(covers.len(), MAX_SCOPES, |count, limit| PolicyError::TooManyCovers { count, limit })?;
    fits(host.fail_safe.len(), MAX_FAIL_SAFE, |count, limit| PolicyError::TooManyFailSafe {
        count,
        limit,
    })?;
    let apps: BTreeMap<u32, &Arc<App>> = state.apps.values().map(|app| (app.index, app)).collect();
    Ok(Policy {
        revision: state.revision,
        flags: flags(state.settings),
        fail_safe: host.fail_safe.iter().map(fail_safe_record).collect(),
        scopes,
        covers,
        apps: apps.into_values().map(|app| app_policy(app, host.booted)).collect(),
    })
}

fn fits(
    count: usize,
    limit: usize,
    error: impl FnOnce(usize, usize) -> PolicyError,
) -> Result<(), PolicyError> {
    if count <= limit { Ok(()) } else { Err(error(count, limit)) }
}

fn refuse_equal_scopes(state: &State) -> Result<(), PolicyError> {
    let mut owners: BTreeMap<&Scope, &App> = BTreeMap::new();
    for app in state.apps.values() {
        for scope in &app.scopes {
            let Some(owner) = owners.insert(scope, app) else { continue };
            let scope = scope.clone();
            return Err(if owner.id == app.id {
                PolicyError::ScopeRepeated { scope, app: app.client_app_id.clone() }
            } else {
                PolicyError::ScopeConflict {
                    scope,
                    first: owner.client_app_id.clone(),
                    second: app.client_app_id.clone(),
                }
            });
        }
    }
    Ok(())
}

/// A name of one app has its own before a wildcard of another, and a longer
/// wildcard before a shorter one; equal ones have no order.
fn refuse_equal_names(state: &State) -> Result<(), PolicyError> {
    let mut owners = BTreeMap::new();
    for app in state.apps.values() {
        for name in &app.proxy.names {
            let Some(owner) = owners.insert((name.is_wildcard(), name.name()), app) else {
                continue;
            };
            return Err(PolicyError::NameConflict {
                name: name.text().to_owned(),
                first: owner.client_app_id.clone(),
                second: app.client_app_id.clone(),
            });
        }
    }
    Ok(())
}

/// The records of all scopes, most specific first. A scope of a local address
/// also holds what is sent to its aliases.
fn placed_scopes(state: &State, host: &Host) -> Vec<ScopeRecord> {
    let mut scopes: Vec<(Scope, u32)> = Vec::new();
    for app in state.apps.values() {
        for scope in &app.scopes {
            scopes.push((scope.clone(), app.index));
            scopes.extend(alias_scopes(scope, host).map(|scope| (scope, app.index)));
        }
    }
    // Multicast and broadcast packets can fit scopes of one rank of several
    // apps: the stricter app is asked.
    let strictness = |index: &u32| state.apps.values().find(|a| a.index == *index).map(|a| a.mode);
    scopes.sort_by_cached_key(|(scope, index)| {
        (specificity(scope), std::cmp::Reverse(strictness(index)), *index)
    });
    scopes.dedup();
    scopes.iter().filter_map(|(scope, index)| scope_record(scope, *index, host)).collect()
}

fn alias_scopes<'a>(scope: &'a Scope, host: &'a Host) -> impl Iterator<Item = Scope> + 'a {
    host.aliases.iter().filter_map(move |local| {
        let destination = scope.destination?;
        let reached = destination.contains(local.address) && !destination.contains(local.alias);
        let alias = Prefix::new(IpNet::from(local.alias));
        reached.then(|| Scope { destination: Some(alias), ..scope.clone() })
    })
}

fn scope_record(scope: &Scope, app: u32, host: &Host) -> Option<ScopeRecord> {
    let ifindex = match &scope.interface {
        None => 0,
        Some(name) => host.interfaces.iter().find(|i| i.name == *name)?.index,
    };
    let mut record = ScopeRecord { ifindex, target: app, ..ScopeRecord::ANY };
    if let Some(destination) = scope.destination {
        (record.destination, record.mask, record.family) = words(destination);
    }
    if let Some(protocol) = scope.protocol {
        record.protocol = protocol.number();
    }
    if let Some(ports) = scope.ports {
        record.flags |= SCOPE_PORTS;
        if host.ephemeral.is_some_and(|(first, last)| ports.last() < first || ports.first() > last)
        {
            record.flags |= SCOPE_SERVED;
        }
        record.port_first = ports.first();
        record.port_last = ports.last();
    }
    Some(record)
}

fn fail_safe_record(source: &FailSafe) -> FailSafeRecord {
    let (address, mask, family) = words(source.prefix);
    FailSafeRecord {
        address,
        mask,
        port: source.port.unwrap_or(0),
        port_only: u8::from(source.port.is_some()),
        family,
    }
}

/// Network, mask and family as a record holds them.
fn words(prefix: Prefix) -> (Address, Address, u8) {
    let v4 = |octets| [u32::from_ne_bytes(octets), 0, 0, 0];
    match prefix.network() {
        IpNet::V4(network) => {
            (v4(network.network().octets()), v4(network.netmask().octets()), FAMILY_V4)
        }
        IpNet::V6(network) => (
            from_octets(network.network().octets()),
            from_octets(network.netmask().octets()),
            FAMILY_V6,
        ),
    }
}

fn flags(settings: Settings) -> u32 {
    let dhcp = if settings.dhcp { FLAG_DHCP } else { 0 };
    let non_ip = if settings.non_ip { 0 } else { FLAG_NON_IP_DROP };
    dhcp | non_ip
}

fn app_policy(app: &App, booted: i64) -> AppPolicy {
    let mut hops = PrefixSet::default();
    for hop in &app.trusted_hops {
        hops.insert(*hop, TrieValue { entry: 0, expires_boot_s: 0 });
    }
    AppPolicy {
        index: app.index,
        identity: app.id.tail(),
        mode: app.mode,
        list: app.list.enforced(booted),
        hops,
    }
}
