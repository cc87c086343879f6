//! Wire types: what goes over HTTP, and nothing that stays inside.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::Fault;
use super::listed::{EntriesIn, Items, ListedIn};
use crate::access_list::{Address, Entry};
use crate::app::{App, Mode, ProxyDocument, ProxySettings, parse_mode};
use crate::command::{AppFields, Command, NewEntry};
use crate::id::ObjectId;
use crate::origin::Origin;
use crate::state::{Group, Settings};

const NO_CURRENT_ADDRESS: &str = "use_current: there is no client address on the control socket; `filterctl accesslist create --use-current` finds yours itself, or send it as address";

const BOTH_ADDRESSES: &str = "use_current: there is an address beside it: send one or the other";

#[derive(Serialize, ToSchema)]
pub(super) struct GroupOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    name: &'a str,
}

/// An app as filterd knows it.
#[derive(Serialize, ToSchema)]
pub(super) struct AppOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    client_app_id: &'a str,
    name: &'a str,
    group_id: ObjectId,
    mode: &'static str,
    scopes: Vec<String>,
    trusted_hops: Vec<String>,
    origins: Vec<&'a str>,
    require_origin: bool,
    proxy: ProxyDocument,
    entries: usize,
    version: u64,
}

/// An entry with the fields of the wire contract and no other: clients compare
/// the answers of two calls with each other.
#[derive(Serialize, ToSchema)]
pub(super) struct AdminEntry<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    /// Whether the entry covers the caller; nobody on the control socket has
    /// an address.
    includes_current: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SettingsOut {
    dhcp: bool,
    non_ip: &'static str,
}

/// An entry to be. Unknown fields are ignored: clients send back whole
/// entries.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdminEntryIn)]
pub(super) struct EntryIn {
    #[schema(example = "203.0.113.0/24")]
    pub(super) address: Option<String>,
    #[schema(max_length = 1024)]
    pub(super) comment: Option<String>,
    #[serde(default)]
    pub(super) use_current: Option<bool>,
}

/// What is said of an app: of one to be, of one to change, or in a file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AppIn {
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,63}$", example = "web")]
    pub(super) name: Option<String>,
    #[schema(value_type = Option<Vec<ListedIn>>)]
    pub(super) entries: Option<EntriesIn>,
    #[schema(pattern = "^(enforce|observe|off)$", example = "enforce")]
    mode: Option<String>,
    #[schema(example = json!(["port=443,protocol=tcp"]))]
    scopes: Option<Vec<String>>,
    #[schema(example = json!(["192.0.2.1"]))]
    trusted_hops: Option<Vec<String>>,
    #[schema(example = json!(["https://www.example.com"]))]
    origins: Option<Vec<String>>,
    require_origin: Option<bool>,
    proxy: Option<ProxyDocument>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsPatch {
    pub(super) dhcp: Option<bool>,
    #[schema(pattern = "^(pass|drop)$", example = "pass")]
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
            origins: app.origins.iter().map(Origin::text).collect(),
            require_origin: app.require_origin,
            proxy: ProxyDocument::from(&app.proxy),
            entries: app.list.len(),
            version: app.list.version,
        }
    }
}

impl<'a> AdminEntry<'a> {
    /// An entry as a caller with an address sees it.
    pub(super) fn new(entry: &'a Entry, current: Option<IpAddr>) -> Self {
        Self {
            id: entry.id,
            address: entry.address.text(),
            comment: &entry.comment,
            includes_current: current
                .is_some_and(|current| entry.address.prefix().contains(current)),
        }
    }
}

impl AppIn {
    /// What is said of the app but for its list, and its list.
    pub(super) fn parts(self) -> Result<(AppFields, Option<Vec<NewEntry>>), Fault> {
        let fields = AppFields {
            name: self.name,
            mode: self.mode.as_deref().map(mode).transpose()?,
            scopes: self.scopes.as_deref().map(|texts| all(texts, "scopes")).transpose()?,
            trusted_hops: self
                .trusted_hops
                .as_deref()
                .map(|texts| all(texts, "trusted_hops"))
                .transpose()?,
            origins: self.origins.as_deref().map(|texts| origins(texts, "origins")).transpose()?,
            require_origin: self.require_origin,
            proxy: self.proxy.map(proxy).transpose()?,
        };
        Ok((fields, self.entries.map(|entries| entries.0).transpose()?))
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

/// The address that is sent, or the caller's own where that is meant; none if
/// neither is.
pub(super) fn chosen_address(
    sent: Option<&str>,
    use_current: bool,
    current: Option<IpAddr>,
) -> Result<Option<Address>, Fault> {
    match (sent, use_current) {
        (sent, false) => sent.map(address).transpose(),
        (Some(_), true) => Err(Fault::parameter(BOTH_ADDRESSES)),
        (None, true) => {
            let current = current.ok_or_else(|| Fault::parameter(NO_CURRENT_ADDRESS))?;
            address(&current.to_string()).map(Some)
        }
    }
}

/// Reads one address.
pub(super) fn address(text: &str) -> Result<Address, Fault> {
    Address::parse(text).map_err(|error| Fault::parameter(format!("address: {error}")))
}

/// Reads origins; every bad one is told.
pub(super) fn origins(texts: &[String], list: &'static str) -> Result<Vec<Origin>, Fault> {
    all(texts, list)
}

/// A moment as people and programs read it (RFC 3339).
pub(super) fn time(unix: i64) -> String {
    jiff::Timestamp::from_second(unix).unwrap_or_default().to_string()
}

fn proxy(document: ProxyDocument) -> Result<ProxySettings, Fault> {
    document.read().map_err(|error| Fault::parameter(format!("proxy: {error}")))
}

fn mode(text: &str) -> Result<Mode, Fault> {
    parse_mode(text).map_err(|error| Fault::parameter(format!("mode: {error}")))
}

fn all<T: FromStr<Err: Display>>(texts: &[String], list: &'static str) -> Result<Vec<T>, Fault> {
    let mut items = Items::new(list, "");
    for text in texts {
        items.take(text.parse());
    }
    items.finish()
}
