//! The forms that are JSON, one file each, and what they read it with.
//!
//! The pieces of a document are slices of its text: where a piece stands is
//! where its slice begins, so that every fault has its line.

pub(super) mod atlas;
pub(super) mod aws;
pub(super) mod azure;
pub(super) mod flat;
pub(super) mod full;
pub(super) mod google;
pub(super) mod keyed;
pub(super) mod oracle;
pub(super) mod spamhaus;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::{Fault, quote};
use super::filter::Says;
use super::intake::{Intake, Note, Place};

/// A key of an object, and what it stands for.
pub(super) type Member<'a> = (String, &'a RawValue);

/// An object whose keys are not known beforehand, in its order.
struct Members<'a>(Vec<Member<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Vec<Member<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Object).map(Self)
    }
}

/// The members of a document that is an object.
pub(super) fn members_of(text: &str) -> Result<Vec<Member<'_>>, Fault> {
    serde_json::from_str(text)
        .map(|Members(members)| members)
        .map_err(|error| Fault::whole(error.line().max(1), format!("this is not JSON: {error}")))
}

/// Whether a piece is an array.
pub(super) fn is_array(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}

/// A piece as the text that it is, if it is one.
pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let plain = text.strip_prefix('"')?.strip_suffix('"')?;
    match plain.contains('\\') {
        false => Some(Cow::Borrowed(plain)),
        true => serde_json::from_str(text).ok().map(Cow::Owned),
    }
}

impl<'a> Intake<'a> {
    /// The whole document; a fault if it is none.
    fn document(&mut self) -> Option<&'a RawValue> {
        let text: &'a str = self.text();
        match serde_json::from_str(text) {
            Ok(document) => Some(document),
            Err(error) => {
                let at = offset(text, &error);
                self.refuse(Place::at(at), format!("this is not JSON: {error}"));
                None
            }
        }
    }

    /// The members of the whole document; a fault if one of these keys would
    /// be needed and none is there.
    fn document_with(&mut self, keys: &[&str]) -> Vec<Member<'a>> {
        let Some(document) = self.document() else { return Vec::new() };
        let members = self.members(document, format_args!(""));
        if !members.iter().any(|(key, _)| keys.contains(&key.as_str())) {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            let why = format!("there is no {} here", keys.join(" and no "));
            self.refuse(Place::at(0), why);
        }
        members
    }

    /// Where a piece of the document stands.
    fn place<'p>(&self, raw: &RawValue, path: fmt::Arguments<'p>) -> Place<'p> {
        let at = (raw.get().as_ptr() as usize).saturating_sub(self.text().as_ptr() as usize);
        Place { at, path }
    }

    /// Notes a fault of a piece.
    fn refuse_raw(&mut self, raw: &RawValue, path: fmt::Arguments<'_>, why: impl Into<String>) {
        self.refuse(self.place(raw, path), why);
    }

    /// The elements of an array; `null` is an empty one.
    fn elements(&mut self, raw: &'a RawValue, path: fmt::Arguments<'_>) -> Vec<&'a RawValue> {
        match serde_json::from_str::<Option<Vec<&'a RawValue>>>(raw.get()) {
            Ok(elements) => elements.unwrap_or_default(),
            Err(_) => {
                let why = format!("an array is needed, and this is {}", quote(raw.get()));
                self.refuse_raw(raw, path, why);
                Vec::new()
            }
        }
    }

    /// The members of an object; of two with the same key, one would be lost.
    fn members(&mut self, raw: &'a RawValue, path: fmt::Arguments<'_>) -> Vec<Member<'a>> {
        let Ok(Members(members)) = serde_json::from_str(raw.get()) else {
            let why = format!("an object is needed, and this is {}", quote(raw.get()));
            self.refuse_raw(raw, path, why);
            return Vec::new();
        };
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        if let Some(twice) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            let why = format!("the key {:?} is there twice", twice[0]);
            self.refuse_raw(raw, path, why);
        }
        members
    }

    /// An object as what it should be.
    fn record<T: Deserialize<'a>>(
        &mut self,
        raw: &'a RawValue,
        path: fmt::Arguments<'_>,
    ) -> Option<T> {
        // The parser takes an array for a record too.
        if !raw.get().starts_with('{') {
            let why = format!("an object is needed, and this is {}", quote(raw.get()));
            self.refuse_raw(raw, path, why);
            return None;
        }
        match serde_json::from_str(raw.get()) {
            Ok(record) => Some(record),
            Err(error) => {
                let place = self.place(raw, path);
                let at = place.at + offset(raw.get(), &error);
                self.refuse(Place { at, ..place }, without_position(&error));
                None
            }
        }
    }

    /// Takes a piece that must be the text of an address.
    fn take_raw(
        &mut self,
        raw: &'a RawValue,
        path: fmt::Arguments<'_>,
        says: Says<'_>,
        note: Note<'_>,
    ) {
        let place = self.place(raw, path);
        match string(raw) {
            Some(text) => self.take(place, &text, says, note),
            None => {
                let why =
                    format!("an address in quotes is needed, and this is {}", quote(raw.get()));
                self.refuse(place, why);
            }
        }
    }
}

/// Where an error of the parser lies in the text.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (before + error.column().saturating_sub(1)).min(text.len())
}

/// An error of the parser without the line and column, which are those of a
/// piece.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
