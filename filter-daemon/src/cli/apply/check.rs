//! What a file says of apps, checked: against the time that is given, and the
//! local time zone. Does no IO.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use super::document::{AppTable, Document, EntryItem};
use crate::access_list::{Address, Prefix};
use crate::app::{ProxyDocument, Scope, parse_mode};
use crate::cli::answers::NewEntry;
use crate::cli::moment;
use crate::cli::place::{Form, Place};
use crate::feed::{Fault, Faults, Listed};
use crate::origin::Origin;

/// What a file asks for.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) apps: Vec<Desired>,
    /// The addresses of entries whose end has passed: the file need not be
    /// touched when time goes by.
    pub(super) ended: Vec<String>,
}

/// An app as it shall be; what is not said of it stays as it is.
#[derive(Debug)]
pub(super) struct Desired {
    pub(super) table: AppTable,
    /// The whole of its list, if something is said of it.
    pub(super) list: Option<Vec<Listed>>,
}

/// An app as it goes over the wire.
#[derive(Serialize)]
pub(super) struct App<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_hops: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_origin: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<&'a ProxyDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<NewEntry<'a>>>,
}

/// Checks all that can be checked without the daemon; every fault is told.
pub(super) fn check(
    document: Document,
    now: Timestamp,
    text: &str,
    form: Form,
) -> Result<Checked, Faults> {
    let mut check = Check { now, faults: Vec::new(), ended: Vec::new() };
    let mut names = HashMap::new();
    let mut apps = Vec::new();
    for (position, table) in document.app.into_iter().enumerate() {
        let place = Place::of("app").item(position);
        if let Some(first) = names.insert(table.name.clone(), position) {
            let why = format!("{:?} is the name of app[{first}] already", table.name);
            check.note(place.key("name"), why);
        }
        apps.push(check.app(table, &place));
    }
    let Check { faults, ended, .. } = check;
    let mut told: Vec<Fault> = faults
        .into_iter()
        .map(|(place, why)| Fault { line: place.line(form, text), path: place.to_string(), why })
        .collect();
    told.sort_by_key(|fault| fault.line);
    if told.is_empty() { Ok(Checked { apps, ended }) } else { Err(Faults { told, more: 0 }) }
}

struct Check {
    now: Timestamp,
    faults: Vec<(Place, String)>,
    ended: Vec<String>,
}

impl Check {
    fn note(&mut self, place: Place, why: impl Into<String>) {
        self.faults.push((place, why.into()));
    }

    fn app(&mut self, mut table: AppTable, place: &Place) -> Desired {
        if let Some(mode) = &table.mode
            && let Err(error) = parse_mode(mode)
        {
            self.note(place.key("mode"), error.to_string());
        }
        self.texts::<Scope>(table.scopes.as_deref(), &place.key("scopes"));
        self.texts::<Prefix>(table.trusted_hops.as_deref(), &place.key("trusted_hops"));
        self.texts::<Origin>(table.origins.as_deref(), &place.key("origins"));
        if let Some(Err(error)) = table.proxy.clone().map(ProxyDocument::read) {
            self.note(place.key("proxy"), error.to_string());
        }
        let entries = table.entries.take();
        let says_list = entries.is_some() || table.entries_from.is_some();
        let list = self.list(entries.unwrap_or_default(), &place.key("entries"));
        Desired { table, list: says_list.then_some(list) }
    }

    fn texts<T: FromStr<Err: Display>>(&mut self, texts: Option<&[String]>, place: &Place) {
        for (position, text) in texts.unwrap_or_default().iter().enumerate() {
            if let Err(error) = text.parse::<T>() {
                self.note(place.item(position), error.to_string());
            }
        }
    }

    fn list(&mut self, entries: Vec<EntryItem>, place: &Place) -> Vec<Listed> {
        let mut firsts: HashMap<Prefix, usize> = HashMap::new();
        let mut list = Vec::new();
        for (position, entry) in entries.into_iter().enumerate() {
            let place = place.item(position);
            let Some(listed) = self.entry(entry, &place) else { continue };
            let prefix = listed.address.prefix();
            if let Some(first) = firsts.insert(prefix, position) {
                let text = listed.address.text();
                self.note(place, format!("{text:?} stands for {prefix}, as entries[{first}] does"));
                continue;
            }
            let has_ended = listed.expires.is_some_and(|end| end <= self.now);
            match has_ended {
                true => self.ended.push(listed.address.text().to_owned()),
                false => list.push(listed),
            }
        }
        list
    }

    fn entry(&mut self, entry: EntryItem, place: &Place) -> Option<Listed> {
        let EntryItem { address, comment, enabled, expires, is_table } = entry;
        let expires = match expires.as_deref().map(moment::parse).transpose() {
            Ok(expires) => expires,
            Err(why) => {
                self.note(place.key("expires"), why);
                None
            }
        };
        match Address::parse(&address) {
            Ok(address) => {
                Some(Listed { address, comment: comment.map(Into::into), enabled, expires })
            }
            Err(error) => {
                let place = if is_table { place.key("address") } else { place.clone() };
                self.note(place, error.to_string());
                None
            }
        }
    }
}

impl Desired {
    /// As it is sent.
    pub(super) fn on_wire(&self) -> App<'_> {
        let AppTable { name, mode, scopes, trusted_hops, origins, require_origin, proxy, .. } =
            &self.table;
        App {
            name,
            mode: mode.as_deref(),
            scopes: scopes.as_deref(),
            trusted_hops: trusted_hops.as_deref(),
            origins: origins.as_deref(),
            require_origin: *require_origin,
            proxy: proxy.as_ref(),
            entries: self.list.as_ref().map(|list| list.iter().map(new_entry).collect()),
        }
    }
}

/// What is not sent of an entry is as a new one has it.
fn new_entry(listed: &Listed) -> NewEntry<'_> {
    NewEntry {
        address: listed.address.text(),
        comment: listed.comment.as_deref(),
        enabled: (!listed.enabled).then_some(false),
        expires: listed.expires.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::document;
    use super::*;

    fn checked(text: &str) -> Result<Checked, Faults> {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a moment");
        let read = document::read(None, text.as_bytes()).expect(text);
        check(read.document, now, &read.text, read.form)
    }

    #[test]
    fn what_is_not_said_is_not_sent() {
        let text = r#"
            [[app]]
            name = "web"
            mode = "observe"
            scopes = ["port=443,protocol=tcp"]
            entries = [
                "198.51.100.0/24",
                { address = "::1", comment = "lo", enabled = false, expires = "2027-01-01T00:00:00Z" },
                { address = "::2", expires = "2026-01-01T00:00:00Z" },
            ]
            [[app]]
            name = "shop"
            origins = ["https://shop.example"]
            require_origin = true
            [app.proxy]
            names = ["shop.example"]
            upstreams = ["http://127.0.0.1:8080"]
            [[app]]
            name = "empty"
            entries = []
        "#;
        let checked = checked(text).expect("valid");
        assert_eq!(checked.ended, ["::2"]);
        let sent: Vec<_> = checked.apps.iter().map(Desired::on_wire).collect();
        assert_eq!(
            serde_json::to_value(sent).expect("JSON"),
            json!([
                { "name": "web", "mode": "observe", "scopes": ["port=443,protocol=tcp"], "entries": [
                    { "address": "198.51.100.0/24" },
                    { "address": "::1", "comment": "lo", "enabled": false,
                      "expires": "2027-01-01T00:00:00Z" },
                ] },
                { "name": "shop", "origins": ["https://shop.example"], "require_origin": true,
                  "proxy": { "names": ["shop.example"], "upstreams": ["http://127.0.0.1:8080"] } },
                { "name": "empty", "entries": [] },
            ])
        );
    }

    #[test]
    fn the_example_has_no_fault() {
        let example = checked(include_str!("../../../dist/examples/apps.toml")).expect("valid");
        assert!(example.ended.is_empty());
        let names: Vec<_> = example.apps.iter().map(|app| app.table.name.as_str()).collect();
        assert_eq!(names, ["web", "api"]);
    }

    #[test]
    fn every_fault_is_told_at_its_line() {
        let text = "[[app]]\nname = \"web\"\nmode = \"strict\"\nscopes = [\"host\",\n\"port=x\"]\n\
            trusted_hops = [\"10.0.0.1/8\"]\norigins = [\"*\"]\nentries = [\n\"x\",\n\
            { address = \"y\" },\n\"::1\",\n\"::1/128\",\n{ address = \"::2\", expires = \"soon\" },\n]\n\
            [[app]]\nname = \"web\"\n[app.proxy]\ncertificate = \"/a.pem\"\n";
        let faults = checked(text).expect_err("faults").told;
        let found: Vec<_> = faults.iter().map(|fault| (fault.line, fault.path.as_str())).collect();
        assert_eq!(
            found,
            [
                (3, "app[0].mode"),
                (5, "app[0].scopes[1]"),
                (6, "app[0].trusted_hops[0]"),
                (7, "app[0].origins[0]"),
                (9, "app[0].entries[0]"),
                (10, "app[0].entries[1].address"),
                (12, "app[0].entries[3]"),
                (13, "app[0].entries[4].expires"),
                (16, "app[1].name"),
                (17, "app[1].proxy"),
            ]
        );
    }
}
