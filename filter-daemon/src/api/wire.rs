//! Wire types: what goes over HTTP, and nothing that stays inside.

use std::fmt::Display;
use std::str::FromStr;

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::listed::{EntriesIn, Items};
use crate::access_list::{Address, Entry, Prefix};
use crate::app::{App, Mode, Scope, parse_mode};
use crate::command::Command;
use crate::id::ObjectId;
use crate::observe::EntryHits;
use crate::state::{Group, Settings};

#[derive(Serialize)]
pub(super) struct GroupOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    name: &'a str,
}

/// An app as filterd knows it.
#[derive(Serialize)]
pub(super) struct AppOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    client_app_id: &'a str,
    name: &'a str,
    group_id: ObjectId,
    mode: &'static str,
    scopes: Vec<String>,
    trusted_hops: Vec<String>,
    entries: usize,
}

#[derive(Serialize)]
pub(super) struct EntryOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    /// Whether the entry covers the caller; nobody on the control socket has
    /// an address.
    includes_current: bool,
    /// How many packets it let in; only lists tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<u64>,
    /// When the last one of them came, if any did.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hit: Option<String>,
}

#[derive(Serialize)]
pub(super) struct SettingsOut {
    dhcp: bool,
    non_ip: &'static str,
}

/// An entry to be. Unknown fields are ignored: clients send back whole
/// entries.
#[derive(Deserialize)]
pub(super) struct EntryIn {
    pub(super) address: Option<String>,
    pub(super) comment: Option<String>,
    #[serde(default)]
    pub(super) use_current: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportIn {
    pub(super) entries: EntriesIn,
    #[serde(default)]
    pub(super) replace: bool,
}

#[derive(Serialize)]
pub(super) struct ImportOut {
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) unchanged: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppIn {
    pub(super) name: String,
    pub(super) mode: Option<String>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) trusted_hops: Vec<String>,
    pub(super) entries: Option<EntriesIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppPatch {
    pub(super) name: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) trusted_hops: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsPatch {
    pub(super) dhcp: Option<bool>,
    pub(super) non_ip: Option<String>,
}

/// A JSON answer.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => ([("content-type", "application/json")], bytes).into_response(),
        Err(error) => Fault::internal(error.to_string()).into_response(),
    }
}

impl<'a> From<&'a Group> for GroupOut<'a> {
    fn from(group: &'a Group) -> Self {
        Self { id: group.id, name: &group.name }
    }
}

impl<'a> From<&'a App> for AppOut<'a> {
    fn from(app: &'a App) -> Self {
        Self {
            id: app.id,
            client_app_id: &app.client_app_id,
            name: &app.name,
            group_id: app.group,
            mode: app.mode.name(),
            scopes: app.scopes.iter().map(ToString::to_string).collect(),
            trusted_hops: app.trusted_hops.iter().map(ToString::to_string).collect(),
            entries: app.list.len(),
        }
    }
}

impl<'a> From<&'a Entry> for EntryOut<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            id: entry.id,
            address: entry.address.text(),
            comment: &entry.comment,
            includes_current: false,
            hits: None,
            last_hit: None,
        }
    }
}

impl EntryOut<'_> {
    /// With what the kernel counted of it, nothing if it was never hit.
    pub(super) fn hit(self, hits: Option<&EntryHits>) -> Self {
        let time = |hits: &EntryHits| jiff::Timestamp::try_from(hits.last).unwrap_or_default();
        let last_hit = hits.map(|hits| time(hits).to_string());
        Self { hits: Some(hits.map_or(0, |hits| hits.packets)), last_hit, ..self }
    }
}

impl From<Settings> for SettingsOut {
    fn from(settings: Settings) -> Self {
        Self { dhcp: settings.dhcp, non_ip: if settings.non_ip { "pass" } else { "drop" } }
    }
}

impl SettingsPatch {
    /// The change that the patch asks for.
    pub(super) fn command(self) -> Result<Command, Fault> {
        let non_ip = match self.non_ip.as_deref() {
            None => None,
            Some("pass") => Some(true),
            Some("drop") => Some(false),
            Some(other) => {
                let text = format!("non_ip: {other:?} is not known: use \"pass\" or \"drop\"");
                return Err(Fault::parameter(text));
            }
        };
        Ok(Command::UpdateSettings { dhcp: self.dhcp, non_ip })
    }
}

/// Reads one address.
pub(super) fn address(text: &str) -> Result<Address, Fault> {
    Address::parse(text).map_err(|error| Fault::parameter(format!("address: {error}")))
}

/// Reads a mode.
pub(super) fn mode(text: &str) -> Result<Mode, Fault> {
    parse_mode(text).map_err(|error| Fault::parameter(format!("mode: {error}")))
}

/// Reads scopes; every bad one is told.
pub(super) fn scopes(texts: &[String]) -> Result<Vec<Scope>, Fault> {
    all(texts, "scopes")
}

/// Reads trusted hops; every bad one is told.
pub(super) fn trusted_hops(texts: &[String]) -> Result<Vec<Prefix>, Fault> {
    all(texts, "trusted_hops")
}

fn all<T: FromStr<Err: Display>>(texts: &[String], list: &'static str) -> Result<Vec<T>, Fault> {
    let mut items = Items::new(list, "");
    for text in texts {
        items.take(text.parse());
    }
    items.finish()
}
