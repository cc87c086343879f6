//! An app as the proxy serves it, and all of them by their names.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use filter_common::verdict::{Mode, Verdict};
use rustls::ServerConfig;

use super::reason::Reason;
use super::tally::Counts;
use super::trust::Trust;
use super::upstream::Destination;
use crate::access_list::PrefixSet;
use crate::app::{App, HopHeader};
use crate::config::FailSafe;
use crate::id::ObjectId;
use crate::policy::LookupTable;
use crate::server_name::HostName;
use crate::tls::Served;

/// One app.
pub(super) struct Site {
    pub(super) app: Arc<App>,
    pub(super) list: Arc<List>,
    pub(super) counts: Arc<Counts>,
    /// The certificate that clients are shown.
    pub(super) shown: Served,
    /// What TLS is spoken with; none without a certificate.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Changes with the rules for clients' certificates.
    pub(super) certificate_rules: u64,
    /// What clients have to show; none while its file cannot be read.
    pub(super) clients: Option<Trust>,
    /// Where requests go.
    pub(super) destination: Option<Arc<Destination>>,
    /// Why nobody is served, as far as that was found when it was put together.
    pub(super) faults: Vec<String>,
    /// What upstreams have to show and are shown; none while its files cannot
    /// be read.
    pub(super) upstreams: Option<Trust>,
}

/// A list as it is asked: a long one through its compiled table.
pub(super) struct List {
    prefixes: PrefixSet,
    table: Option<LookupTable>,
}

/// All apps that have names.
#[derive(Default)]
pub(super) struct Sites {
    pub(super) fail_safe: Vec<FailSafe>,
    all: HashMap<ObjectId, Arc<Site>>,
    by_name: HashMap<HostName, ObjectId>,
    /// By the name behind the wildcard.
    below: HashMap<HostName, ObjectId>,
}

/// From so many prefixes on, a table is worth its memory.
const LONG: usize = 256;

impl List {
    pub(super) fn new(prefixes: PrefixSet) -> Self {
        let table = (prefixes.len() >= LONG).then(|| LookupTable::new(&prefixes));
        Self { prefixes, table }
    }

    /// Whether it was made of these prefixes.
    pub(super) fn is_of(&self, prefixes: &PrefixSet) -> bool {
        let digests = |set: &PrefixSet| (set.v4().digest(), set.v6().digest(), set.len());
        digests(&self.prefixes) == digests(prefixes)
    }

    /// What the list says about an address at a second, Unix time.
    fn judge(&self, address: IpAddr, now: u32) -> Reason {
        if let Some(table) = &self.table
            && table.admits(address, now)
        {
            return Reason::Listed;
        }
        // The short way for short lists, and the way to a reason for refusals.
        match self.prefixes.lookup(address) {
            None => Reason::NotListed,
            Some((_, value)) if value.expires_boot_s == 0 || now < value.expires_boot_s => {
                Reason::Listed
            }
            Some(_) => Reason::Expired,
        }
    }
}

impl Site {
    /// What becomes of a client.
    pub(super) fn judge(&self, sites: &Sites, client: IpAddr, port: u16, now: u32) -> Reason {
        if self.app.mode == Mode::Off {
            return Reason::ModeOff;
        }
        let passes = |f: &FailSafe| f.prefix.contains(client) && f.port.is_none_or(|p| p == port);
        if sites.fail_safe.iter().any(passes) {
            return Reason::FailSafe;
        }
        self.list.judge(client, now)
    }

    /// What is wrong with it, in words for operators.
    pub(super) fn troubles(&self) -> Vec<String> {
        let certificate = self.certificate_trouble().into_iter().chain(self.foreign_names());
        self.faults.iter().cloned().chain(certificate).collect()
    }

    /// Whether a client is not let in, as the app's mode has it.
    pub(super) fn refuses(&self, sites: &Sites, client: IpAddr, port: u16, now: u32) -> bool {
        self.judge(sites, client, port, now).decide(self.app.mode) == Verdict::Drop
    }

    /// What of it keeps everybody from being served.
    pub(super) fn outages(&self) -> Vec<String> {
        let trouble = self.certificate_trouble().filter(|_| !self.shown.is_there());
        self.faults.iter().cloned().chain(trouble).collect()
    }

    fn certificate_trouble(&self) -> Option<String> {
        let trouble = self.shown.trouble()?;
        Some(match &self.app.proxy.certificate {
            Some(pair) => format!("the certificate {}: {trouble}", pair.certificate.display()),
            None => format!("the certificate: {trouble}"),
        })
    }

    /// The names that clients do not take the app's own certificate for. What a
    /// wildcard is used for, nobody knows.
    fn foreign_names(&self) -> Option<String> {
        let proxy = &self.app.proxy;
        let pair = proxy.certificate.as_ref()?;
        let exact = proxy.names.iter().filter(|name| !name.is_wildcard());
        let foreign: Vec<&str> = exact
            .map(|name| name.name().as_str())
            .filter(|name| !self.shown.is_for(name))
            .collect();
        let file = pair.certificate.display();
        let names = foreign.join(", ");
        (!foreign.is_empty()).then(|| {
            format!("the certificate {file} is not for {names}: clients refuse to go on with it")
        })
    }

    /// Whether a source is one of the app's trusted hops.
    pub(super) fn has_hop(&self, source: IpAddr) -> bool {
        self.app.trusted_hops.iter().any(|hop| hop.contains(source))
    }

    /// How its hops name clients.
    pub(super) fn hop_header(&self) -> HopHeader {
        self.app.proxy.hop_header
    }

    /// Whether a request may come from an origin.
    pub(super) fn admits_origin(&self, origin: &str) -> bool {
        self.app.origins.is_empty() || self.app.origins.iter().any(|listed| listed.is(origin))
    }

    /// Counts what came of something.
    pub(super) fn count(&self, reason: Reason) -> Verdict {
        self.counts.count(reason, self.app.mode)
    }
}

impl Sites {
    /// Puts the apps together. The store sees to it that no two
    /// have a name in common.
    pub(super) fn new(fail_safe: Vec<FailSafe>, sites: Vec<Site>) -> Self {
        let mut all = Self { fail_safe, ..Self::default() };
        for site in sites {
            for name in &site.app.proxy.names {
                let index = if name.is_wildcard() { &mut all.below } else { &mut all.by_name };
                index.insert(name.name().clone(), site.app.id);
            }
            all.all.insert(site.app.id, Arc::new(site));
        }
        all
    }

    /// The app of an id.
    pub(super) fn get(&self, app: ObjectId) -> Option<&Arc<Site>> {
        self.all.get(&app)
    }

    /// All apps.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.all.values()
    }

    /// The app that answers to a name: its own before any wildcard, and the
    /// longest wildcard before shorter ones.
    pub(super) fn find(&self, name: &HostName) -> Option<&Arc<Site>> {
        let wildcard = || name.parents().find_map(|parent| self.below.get(&parent));
        let app = self.by_name.get(name).or_else(wildcard)?;
        self.all.get(app)
    }

    /// Whether a source could be let in by any app.
    pub(super) fn may_enter(&self, source: IpAddr, port: u16, now: u32) -> bool {
        self.iter().any(|site| !site.refuses(self, source, port, now) || site.has_hop(source))
    }
}
