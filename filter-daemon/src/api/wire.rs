//! Wire types: what goes over HTTP, and nothing that stays inside.

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::access_list::{Address, Entry, Prefix};
use crate::app::{App, Mode, Scope, parse_mode};
use crate::command::Command;
use crate::command::NewEntry;
use crate::id::ObjectId;
use crate::state::{Group, Settings};

/// How many faults of a long list are told at once.
const FAULTS_TOLD: usize = 20;

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
pub(super) struct ListedIn {
    address: String,
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportIn {
    pub(super) entries: Vec<ListedIn>,
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
    pub(super) entries: Option<Vec<ListedIn>>,
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
        }
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
    all(texts.iter(), |text| text.parse().map_err(|error| format!("{error}")), "scopes", "")
}

/// Reads trusted hops; every bad one is told.
pub(super) fn trusted_hops(texts: &[String]) -> Result<Vec<Prefix>, Fault> {
    all(texts.iter(), |text| text.parse().map_err(|error| format!("{error}")), "trusted_hops", "")
}

/// Reads entries; every bad one is told.
pub(super) fn entries(listed: Vec<ListedIn>) -> Result<Vec<NewEntry>, Fault> {
    let read = |entry: ListedIn| match Address::parse(&entry.address) {
        Ok(address) => Ok(NewEntry { address, comment: entry.comment.unwrap_or_default() }),
        Err(error) => Err(error.to_string()),
    };
    all(listed.into_iter(), read, "entries", ".address")
}

/// Reads every item, or tells the first faults by their places.
fn all<I, T>(
    items: impl ExactSizeIterator<Item = I>,
    read: impl Fn(I) -> Result<T, String>,
    list: &str,
    field: &str,
) -> Result<Vec<T>, Fault> {
    let mut good = Vec::with_capacity(items.len());
    let mut told = Vec::new();
    let mut faults = 0;
    for (position, item) in items.enumerate() {
        match read(item) {
            Ok(item) => good.push(item),
            Err(text) => {
                faults += 1;
                if told.len() < FAULTS_TOLD {
                    told.push(format!("{list}[{position}]{field}: {text}"));
                }
            }
        }
    }
    match faults {
        0 => Ok(good),
        _ if faults > told.len() => {
            Err(Fault::parameter(format!("{}; and {} more", told.join("; "), faults - told.len())))
        }
        _ => Err(Fault::parameter(told.join("; "))),
    }
}
