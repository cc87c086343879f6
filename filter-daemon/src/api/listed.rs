//! Long lists in a body: every bad item is told by its place.
//!
//! Entries are made while the body is read: a million of them are never there
//! a second time as mere texts.

use std::borrow::Cow;
use std::fmt::{self, Display};

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use utoipa::ToSchema;

use super::fault::Fault;
use crate::access_list::{Address, EntryFields};
use crate::command::NewEntry;

/// How many faults of a long list are told at once.
const FAULTS_TOLD: usize = 20;

/// The entries of a body, or what is wrong with them.
pub(super) struct EntriesIn(pub(super) Result<Vec<NewEntry>, Fault>);

/// The items of a list that are read so far, and the first faults.
pub(super) struct Items<T> {
    list: &'static str,
    field: &'static str,
    good: Vec<T>,
    told: Vec<String>,
    faults: usize,
}

/// An entry of a list to be.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedIn<'a> {
    #[serde(borrow)]
    #[schema(value_type = String, example = "203.0.113.0/24")]
    address: Cow<'a, str>,
    #[schema(max_length = 1024)]
    comment: Option<String>,
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Option<Timestamp>>,
}

impl<T> Items<T> {
    /// None yet of the list with a name; the field is the one that can be bad.
    pub(super) fn new(list: &'static str, field: &'static str) -> Self {
        Self { list, field, good: Vec::new(), told: Vec::new(), faults: 0 }
    }

    /// Takes the next item.
    pub(super) fn take<E: Display>(&mut self, item: Result<T, E>) {
        match item {
            Ok(item) => self.good.push(item),
            Err(error) => {
                if self.told.len() < FAULTS_TOLD {
                    let place = self.good.len() + self.faults;
                    self.told.push(format!("{}[{place}]{}: {error}", self.list, self.field));
                }
                self.faults += 1;
            }
        }
    }

    /// All items, if all are good.
    pub(super) fn finish(self) -> Result<Vec<T>, Fault> {
        let told = self.told.join("; ");
        match self.faults {
            0 => Ok(self.good),
            faults if faults > FAULTS_TOLD => {
                Err(Fault::parameter(format!("{told}; and {} more", faults - FAULTS_TOLD)))
            }
            _ => Err(Fault::parameter(told)),
        }
    }
}

/// Tells a field that is null from one that is not there.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for EntriesIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = EntriesIn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut listed: A) -> Result<EntriesIn, A::Error> {
        let mut items = Items::new("entries", ".address");
        while let Some(ListedIn { address, comment, enabled, expires }) = listed.next_element()? {
            let expires = expires.map(|end| end.map(Timestamp::as_second));
            let fields = EntryFields { comment, enabled, expires };
            items.take(Address::parse(&address).map(|address| NewEntry { address, fields }));
        }
        Ok(EntriesIn(items.finish()))
    }
}
