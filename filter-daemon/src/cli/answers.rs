//! What the daemon answers, as JSON has it, and prints of ours in JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::ProxyDocument;

/// A group.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Group {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
}

/// An app.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct App {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    pub(super) id: String,
    /// `name-xxxxx`.
    pub(super) client_app_id: String,
    /// The name it was given.
    pub(super) name: String,
    /// Its owner.
    pub(super) group_id: String,
    /// enforce, observe or off.
    pub(super) mode: String,
    /// Which packets belong to it.
    pub(super) scopes: Vec<String>,
    /// Sources that pass before the list.
    pub(super) trusted_hops: Vec<String>,
    /// Allowed request origins; every one is allowed if there is none.
    pub(super) origins: Vec<String>,
    /// Whether upgrades and unsafe methods need an origin.
    pub(super) require_origin: bool,
    /// What the proxy does for it.
    pub(super) proxy: ProxyDocument,
    /// How many entries its list has.
    pub(super) entries: u64,
    /// The version of its list.
    pub(super) version: u64,
}

/// What the proxy counted, by app, reason and verdict.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProxyCount {
    /// `name-xxxxx`; none where no app was known.
    pub(super) app: Option<String>,
    /// Why.
    pub(super) reason: String,
    /// pass, would_drop or drop.
    pub(super) verdict: String,
    /// How often.
    pub(super) count: u64,
}

/// An entry. A list may hold a million of them.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    pub(super) id: Box<str>,
    /// The address as typed.
    pub(super) address: Box<str>,
    /// Free text, possibly empty.
    pub(super) comment: Box<str>,
    /// Whether it lets anybody in.
    pub(super) enabled: bool,
    /// Until when, if there is an end.
    pub(super) expires: Option<Box<str>>,
    /// Who wrote it last.
    pub(super) author: Box<str>,
    /// When it was made.
    pub(super) created: Box<str>,
    /// When it was last changed.
    pub(super) changed: Box<str>,
    /// applied, pending, failed, disabled or expired.
    pub(super) status: Box<str>,
    /// How many packets it let in; only lists tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hits: Option<u64>,
    /// When the last one of them came, if any did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_hit: Option<Box<str>>,
}

/// An access list.
#[derive(Debug, Deserialize)]
pub(super) struct EntryList {
    /// Its entries, oldest first.
    pub(super) entries: Vec<Entry>,
}

/// An entry to be.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct NewEntry<'a> {
    /// The address as typed.
    pub(super) address: &'a str,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<&'a str>,
    /// Whether it lets anybody in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enabled: Option<bool>,
    /// Until when, or without an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Option<Timestamp>>,
}

/// What many changes of a list came to, or would come to.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Imported {
    /// The version of the list.
    pub(super) version: u64,
    /// Entries that are new.
    pub(super) added: u64,
    /// Entries that were taken off.
    pub(super) removed: u64,
    /// Entries that are not what they were.
    pub(super) changed: u64,
    /// Entries that stayed.
    pub(super) unchanged: u64,
    /// Which ones are new; a dry run tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) added_addresses: Option<Vec<String>>,
    /// Which ones would be taken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) removed_addresses: Option<Vec<String>>,
    /// Which ones would be different.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changed_addresses: Option<Vec<String>>,
}

/// Addresses that the proxy tier sends from, under one label.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Outbound {
    /// The label.
    pub(super) label: String,
    /// The addresses.
    pub(super) addresses: Vec<String>,
}

/// A cell of the counters.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Counter {
    /// Whose, if anybody's.
    pub(super) app: Option<String>,
    /// The reason's name.
    pub(super) reason: String,
    /// pass, would_drop or drop.
    pub(super) verdict: String,
    /// Packets.
    pub(super) packets: u64,
    /// Bytes.
    pub(super) bytes: u64,
}

/// What holds for the whole host.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Settings {
    /// DHCP answers pass.
    pub(super) dhcp: bool,
    /// pass or drop.
    pub(super) non_ip: String,
}

/// An interface and the filter on it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Interface {
    /// Its name, or the pattern that matches none.
    pub(super) name: String,
    /// Its index, if it exists.
    pub(super) index: Option<u32>,
    /// auto, native or generic.
    pub(super) mode_asked: String,
    /// native or generic, when attached.
    pub(super) mode_got: Option<String>,
    /// attached, refused, missing or detached.
    pub(super) state: String,
    /// Why it is refused.
    pub(super) detail: Option<String>,
    /// The name of the program that holds the interface instead of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) holder: Option<String>,
}

/// Everything that `status` shows.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Status {
    /// The daemon's version.
    pub(super) version: String,
    /// The kernel's release.
    pub(super) kernel: String,
    /// never_run, applying, idle or degraded.
    pub(super) phase: String,
    /// Why it is degraded.
    pub(super) error: Option<String>,
    /// What is saved.
    pub(super) desired_revision: u64,
    /// What is in force.
    pub(super) applied_revision: Option<u64>,
    /// on, partly, off or detached.
    pub(super) filter: String,
    /// The loaded program.
    pub(super) program: Option<Program>,
    /// Kernel memory of the tables in front of long lists.
    #[serde(default)]
    pub(super) table_bytes: u64,
    /// The interfaces.
    pub(super) interfaces: Vec<Interface>,
    /// The apps.
    pub(super) apps: Vec<AppSummary>,
    /// What holds for the whole host.
    pub(super) settings: Settings,
    /// What `drops` does not show.
    pub(super) unseen_drops: UnseenDrops,
    /// The Admin API over TLS, if it is switched on.
    #[serde(default)]
    pub(super) admin: Option<AdminListener>,
    /// The proxy, if there is one.
    pub(super) proxy: Option<ProxyListener>,
}

/// Where the Admin API listens over TLS, and what it shows there.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct AdminListener {
    /// Each address.
    pub(super) listen: Vec<ListenPlace>,
    /// The file of the certificate, if it is not the daemon's own.
    pub(super) certificate: Option<String>,
    /// The authority that clients have to trust, if it is the daemon's own.
    pub(super) authority: Option<String>,
    /// When the certificate ends.
    pub(super) ends: Option<String>,
    /// Why a newer certificate is not served.
    pub(super) trouble: Option<String>,
}

/// Where the proxy listens, and what keeps apps from being served.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProxyListener {
    /// Each address.
    pub(super) listen: Vec<ListenPlace>,
    /// What is wrong with apps.
    pub(super) troubles: Vec<ProxyTrouble>,
}

/// What is wrong with an app at the proxy.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProxyTrouble {
    /// The app's `client_app_id`.
    pub(super) app: String,
    /// In words.
    pub(super) trouble: String,
}

/// An address that is listened on.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ListenPlace {
    /// Address and port.
    pub(super) address: String,
    /// listening or waiting.
    pub(super) state: String,
    /// Why it does not listen.
    pub(super) detail: Option<String>,
}

/// Refused packets that `drops` does not show; the counters have them all.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct UnseenDrops {
    /// Left out by the sampling.
    pub(super) unsampled: u64,
    /// Sampled, and lost because nobody read in time.
    pub(super) lost: u64,
}

/// The loaded program.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Program {
    /// The digest of the object it came from.
    pub(super) object_digest: String,
    /// What built it.
    pub(super) toolchain: String,
    /// What the verifier walked through.
    pub(super) instructions_verified: u64,
}

/// An app, as `status` shows it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct AppSummary {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    pub(super) id: String,
    /// `name-xxxxx`.
    pub(super) client_app_id: String,
    /// enforce, observe or off.
    pub(super) mode: String,
    /// Which packets belong to it.
    pub(super) scopes: Vec<String>,
    /// How many entries its list has.
    pub(super) entries: u64,
}
