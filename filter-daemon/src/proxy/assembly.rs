//! From a state to the apps as the proxy serves them. What an app has and did
//! not change is taken over: tickets, connections to upstreams, compiled lists.
//!
//! Reads the files that the settings name for the first time, and the clock
//! never.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use super::certificates::{Certificates, What};
use super::outbound::Outbound;
use super::site::{List, Site, Sites};
use super::tally::Tally;
use super::trust::{Trust, TrustFiles};
use super::upstream::Destination;
use crate::app::{App, ProxySettings};
use crate::config::{FailSafe, Outbound as OutboundRule};
use crate::state::State;
use crate::tls::{self, Served};

/// What apps are put together from, besides the state.
pub(super) struct Assembly {
    pub(super) certificates: Certificates,
    pub(super) trust: TrustFiles,
    pub(super) outbound: Vec<OutboundRule>,
    pub(super) fail_safe: Vec<FailSafe>,
    pub(super) tally: Arc<Tally>,
    pub(super) threads: usize,
    /// Rules for clients' certificates so far.
    pub(super) rules: u64,
}

const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why an app cannot be served, in words for the log.
type Trouble = Box<dyn std::error::Error>;

impl Assembly {
    /// The apps of a state.
    pub(super) fn assemble(&mut self, state: &State, before: &Sites) -> Sites {
        self.tally.retain(|app| state.apps.contains_key(&app));
        let named = state.apps.values().filter(|app| !app.proxy.names.is_empty());
        let sites = named.map(|app| self.site(app, before)).collect();
        self.certificates.forget_unused();
        self.trust.forget_unused();
        Sites::new(self.fail_safe.clone(), sites)
    }

    fn site(&mut self, app: &Arc<App>, before: &Sites) -> Site {
        let old = before.get(app.id);
        let prefixes = app.list.enforced(0);
        let list = match old {
            Some(old) if old.list.is_of(&prefixes) => Arc::clone(&old.list),
            Some(_) | None => Arc::new(List::new(prefixes)),
        };
        let (app, old) = (Arc::clone(app), old.map(Arc::as_ref));
        let clients = self.trust.for_clients(&app.proxy);
        let shown = self.shown(&app);
        let known = old.map_or(&[][..], |old| &old.faults);
        let mut faults = Faults { app: &app, known, faults: Vec::new() };
        let (tls, certificate_rules) = self.tls(&app, &shown, &clients, old, &mut faults);
        let upstreams = self.trust.for_upstreams(&app.proxy);
        let destination = self.destination(&app, &upstreams, old, &mut faults);
        let faults = faults.faults;
        let counts = self.tally.of(Some(app.id));
        let (clients, upstreams) = (clients.ok(), upstreams.ok());
        Site {
            app,
            list,
            counts,
            shown,
            tls,
            certificate_rules,
            clients,
            destination,
            faults,
            upstreams,
        }
    }

    /// The certificate of an app: of its files, or issued for its names.
    fn shown(&mut self, app: &App) -> Served {
        self.certificates.served(match &app.proxy.certificate {
            Some(pair) => What::Files(pair.clone()),
            None => What::Own(app.id, names(app)),
        })
    }

    /// What TLS is spoken with, and the number of the rules for clients.
    fn tls(
        &mut self,
        app: &App,
        shown: &Served,
        clients: &Result<Trust, String>,
        old: Option<&Site>,
        faults: &mut Faults<'_>,
    ) -> (Option<Arc<ServerConfig>>, u64) {
        let asks_the_same = |old: &&Site| {
            old.app.proxy.client_ca == app.proxy.client_ca
                && hold_the_same(old.clients.as_ref(), clients)
        };
        let asking = old.filter(asks_the_same);
        let is_same = |old: &&Site| old.shown.is(shown) && old.tls.is_some();
        if let Some(old) = asking.filter(is_same) {
            return (old.tls.clone(), old.certificate_rules);
        }
        let rules = match asking {
            Some(old) => old.certificate_rules,
            None => {
                self.rules += 1;
                self.rules
            }
        };
        let config = server_config(shown.clone(), clients);
        (faults.note("TLS", config).map(Arc::new), rules)
    }

    fn destination(
        &self,
        app: &App,
        trust: &Result<Trust, String>,
        old: Option<&Site>,
        faults: &mut Faults<'_>,
    ) -> Option<Arc<Destination>> {
        let settings = &app.proxy;
        if settings.upstreams.is_empty() {
            return None;
        }
        let is_same = |old: &&Site| {
            let trusted = old.upstreams.as_ref();
            let old = &old.app.proxy;
            old.upstreams == settings.upstreams
                && old.upstream_ca == settings.upstream_ca
                && old.upstream_certificate == settings.upstream_certificate
                && old.outbound == settings.outbound
                && old.patience_s == settings.patience_s
                && hold_the_same(trusted, trust)
        };
        let old = old.filter(is_same).and_then(|old| old.destination.clone());
        old.or_else(|| {
            faults.note("the upstream", self.new_destination(settings, trust)).map(Arc::new)
        })
    }

    fn new_destination(
        &self,
        settings: &ProxySettings,
        trust: &Result<Trust, String>,
    ) -> Result<Destination, Trouble> {
        let Trust { authorities, identity } = trust.clone()?;
        let tls = match authorities {
            Some(authorities) => Some(tls::client_config(&authorities, identity.as_deref())?),
            None => None,
        };
        let tls = tls.map(Arc::new);
        let addresses = self.addresses(settings.outbound.as_deref())?;
        let patience = Duration::from_secs(settings.patience_s.into());
        let outbound = Arc::new(Outbound::new(addresses, patience));
        let upstreams = settings.upstreams.clone();
        Ok(Destination::new(upstreams, tls, outbound, patience, self.threads))
    }

    /// The addresses of a label, or all.
    fn addresses(&self, label: Option<&str>) -> Result<Vec<IpAddr>, Trouble> {
        let all = || self.outbound.iter().flat_map(|rule| rule.addresses.iter().copied());
        let Some(label) = label else { return Ok(all().collect()) };
        let rule = self.outbound.iter().find(|rule| rule.label == label);
        let rule = rule.ok_or_else(|| {
            format!("no [[outbound]] of filterd.toml has the label {label:?}: add one, or take the label off the app")
        })?;
        Ok(rule.addresses.clone())
    }
}

/// Why an app is not served, kept and told in the log.
struct Faults<'a> {
    app: &'a App,
    /// What was told before.
    known: &'a [String],
    faults: Vec<String>,
}

impl Faults<'_> {
    fn note<T>(&mut self, what: &str, made: Result<T, Trouble>) -> Option<T> {
        let fault = |error| format!("{what} cannot be set up, so nobody is served: {error}");
        made.map_err(fault)
            .inspect_err(|fault| {
                if !self.known.contains(fault) {
                    tracing::warn!(app = %self.app.client_app_id, "{fault}");
                }
                self.faults.push(fault.clone());
            })
            .ok()
    }
}

fn server_config(shown: Served, clients: &Result<Trust, String>) -> Result<ServerConfig, Trouble> {
    let shown = Arc::new(shown);
    let mut config = match clients.clone()?.authorities {
        None => tls::server_config(shown, &PROTOCOLS)?,
        Some(authorities) => tls::server_config_for_known(shown, &PROTOCOLS, &authorities)?,
    };
    // One is what a client needs that comes back; each costs a little.
    config.send_tls13_tickets = 1;
    Ok(config)
}

/// Whether the files hold what they held, or still nothing good.
fn hold_the_same(old: Option<&Trust>, new: &Result<Trust, String>) -> bool {
    match (old, new) {
        (Some(old), Ok(new)) => old.is(new),
        (None, Err(_)) => true,
        (Some(_), Err(_)) | (None, Ok(_)) => false,
    }
}

/// The names of an app as a certificate has them.
fn names(app: &App) -> Vec<String> {
    let names = app.proxy.names.iter().map(|name| match name.is_wildcard() {
        true => format!("*.{}", name.name()),
        false => name.name().to_string(),
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}
