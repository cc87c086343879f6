//! Where in a document something stands. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

/// The way to a value in a document, such as `app[0].entries[3].address`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Key(&'static str),
    Item(usize),
}

impl Place {
    /// The value of a key of the document.
    pub(super) fn of(key: &'static str) -> Self {
        Self::default().key(key)
    }

    /// The value of a key in here.
    pub(super) fn key(&self, key: &'static str) -> Self {
        self.with(Step::Key(key))
    }

    /// An item in here.
    pub(super) fn item(&self, position: usize) -> Self {
        self.with(Step::Item(position))
    }

    /// The line that it is in, or the one of what it should be in.
    pub(super) fn line(&self, form: Form, text: &str) -> usize {
        let offset = match form {
            Form::Toml => self.offset_in_toml(text),
            Form::Json => self.offset_in_json(text),
        };
        line_at(text, offset)
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    fn offset_in_toml(&self, text: &str) -> usize {
        let Ok(table) = DeTable::parse(text) else { return 0 };
        let [Step::Key(first), rest @ ..] = self.0.as_slice() else { return 0 };
        let Some(mut value) = member(table.get_ref(), first) else { return 0 };
        for step in rest {
            let found = match (step, value.get_ref()) {
                (Step::Key(key), DeValue::Table(table)) => member(table, key),
                (Step::Item(position), DeValue::Array(items)) => items.get(*position),
                (_, _) => None,
            };
            let Some(found) = found else { break };
            value = found;
        }
        value.span().start
    }

    fn offset_in_json(&self, text: &str) -> usize {
        let Ok(mut value) = serde_json::from_str::<&RawValue>(text) else { return 0 };
        for step in &self.0 {
            let found = match step {
                Step::Key(key) => {
                    let members = serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get());
                    members.ok().and_then(|mut members| members.remove(*key))
                }
                Step::Item(position) => {
                    let items = serde_json::from_str::<Vec<&RawValue>>(value.get());
                    items.ok().and_then(|items| items.get(*position).copied())
                }
            };
            let Some(found) = found else { break };
            value = found;
        }
        // The value is a piece of the text itself.
        value.get().as_ptr() as usize - text.as_ptr() as usize
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

fn member<'d, 't>(table: &'d DeTable<'t>, key: &str) -> Option<&'d Spanned<DeValue<'t>>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

/// The line of an offset, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_both_forms() {
        let toml = "[[app]]\nname = \"a\"\n[[app]]\nentries = [\n  \"::1\",\n  { address = \"::2\" },\n]\n";
        let json = "{\"app\": [\n {\"name\": \"a\"},\n {\"entries\": [\"::1\",\n  {\n\"address\": \"::2\"}]}]}";
        let entries = Place::of("app").item(1).key("entries");
        for (place, in_toml, in_json) in [
            (Place::of("app").item(0).key("name"), 2, 2),
            (entries.item(0), 5, 3),
            (entries.item(1).key("address"), 6, 5),
            (entries.item(7), 4, 3),
            (Place::of("colour"), 1, 1),
        ] {
            assert_eq!(place.line(Form::Toml, toml), in_toml, "{place}");
            assert_eq!(place.line(Form::Json, json), in_json, "{place}");
        }
        assert_eq!(entries.item(1).key("address").to_string(), "app[1].entries[1].address");
    }
}
