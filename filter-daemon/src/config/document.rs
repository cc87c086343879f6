//! A TOML text with the place of every value: tables that are asked for keys
//! and note what is wrong. Knows nothing of the keys' meaning.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;

/// The faults found so far, and the text that they are found in.
pub(super) struct Faults<'t> {
    text: &'t str,
    found: Vec<(usize, Fault)>,
}

/// A table, where it is, and what leads to it.
pub(super) struct Section<'d, 't> {
    path: String,
    offset: usize,
    table: &'d DeTable<'t>,
}

/// A value and where it is.
pub(super) struct Located<T> {
    pub(super) value: T,
    key: String,
    offset: usize,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a fault at an offset of the text.
    pub(super) fn note(&mut self, offset: usize, key: &str, text: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let fault = Fault { line, key: key.to_owned(), text: text.into() };
        self.found.push((offset, fault));
    }

    /// Notes a fault of a value.
    pub(super) fn refuse<T>(&mut self, value: &Located<T>, text: impl Into<String>) {
        self.note(value.offset, &value.key, text);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All faults in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|(offset, _)| *offset);
        self.found.into_iter().map(|(_, fault)| fault).collect()
    }
}

impl<'d, 't> Section<'d, 't> {
    /// The document itself.
    pub(super) fn root(table: &'d DeTable<'t>) -> Self {
        Self { path: String::new(), offset: 0, table }
    }

    /// Refuses every key that is not among the known ones.
    pub(super) fn refuse_unknown(&self, known: &[&str], faults: &mut Faults<'_>) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let text = format!("is not a known key: {}", suggestion(name, known));
                faults.note(key.span().start, &self.key(name), text);
            }
        }
    }

    /// Notes that a key is missing.
    pub(super) fn refuse_missing(&self, key: &str, text: &str, faults: &mut Faults<'_>) {
        faults.note(self.offset, &self.key(key), text);
    }

    pub(super) fn string(&self, key: &str, faults: &mut Faults<'_>) -> Option<Located<String>> {
        let value = self.value(key)?;
        let DeValue::String(text) = value.get_ref() else {
            return self.wrong_type(key, value, "a text in quotes", faults);
        };
        Some(self.located(key, value, text.clone().into_owned()))
    }

    /// A list of texts, each with its place.
    pub(super) fn strings(&self, key: &str, faults: &mut Faults<'_>) -> Vec<Located<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let wanted = "a list of texts: write [\"…\", \"…\"]";
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type::<()>(key, value, wanted, faults);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let path = format!("{key}[{position}]");
            match item.get_ref() {
                DeValue::String(text) => {
                    texts.push(self.located(&path, item, text.clone().into_owned()));
                }
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_) => {
                    self.wrong_type::<()>(&path, item, "a text in quotes", faults);
                }
            }
        }
        texts
    }

    /// A whole number within a range.
    pub(super) fn number<T>(
        &self,
        key: &str,
        range: RangeInclusive<T>,
        faults: &mut Faults<'_>,
    ) -> Option<Located<T>>
    where
        T: TryFrom<u64> + PartialOrd + Copy + std::fmt::Display,
    {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            return self.wrong_type(key, value, "a whole number", faults);
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| T::try_from(number).ok());
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(self.located(key, value, number)),
            None => {
                let text = format!(
                    "{integer} is out of range: give one from {} to {}",
                    range.start(),
                    range.end()
                );
                faults.note(value.span().start, &self.key(key), text);
                None
            }
        }
    }

    /// The same of a list that must not be missing or empty.
    pub(super) fn some_strings(
        &self,
        key: &str,
        example: &str,
        faults: &mut Faults<'_>,
    ) -> Vec<Located<String>> {
        let is_empty = |value: &DeValue<'_>| value.as_array().is_some_and(|items| items.is_empty());
        match self.value(key) {
            None => {
                let text = format!("is missing: write one such as {example}");
                self.refuse_missing(key, &text, faults);
            }
            Some(value) if is_empty(value.get_ref()) => {
                let text = format!("is empty: write one such as {example}");
                faults.note(value.span().start, &self.key(key), text);
            }
            Some(_) => return self.strings(key, faults),
        }
        Vec::new()
    }

    /// The table `[key]`.
    pub(super) fn section(&self, key: &str, faults: &mut Faults<'_>) -> Option<Section<'d, 't>> {
        let value = self.value(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            return self.wrong_type(key, value, &format!("a table: write [{key}]"), faults);
        };
        Some(Section { path: self.key(key), offset: value.span().start, table })
    }

    /// The tables `[[key]]`, with their places.
    pub(super) fn sections(&self, key: &str, faults: &mut Faults<'_>) -> Vec<Section<'d, 't>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let wanted = format!("a list of tables: write [[{key}]]");
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type::<()>(key, value, &wanted, faults);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let path = format!("{key}[{position}]");
            let DeValue::Table(table) = item.get_ref() else {
                self.wrong_type::<()>(&path, item, &wanted, faults);
                continue;
            };
            sections.push(Section { path: self.key(&path), offset: item.span().start, table });
        }
        sections
    }

    fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn located<T>(&self, key: &str, value: &Spanned<DeValue<'t>>, inner: T) -> Located<T> {
        Located { value: inner, key: self.key(key), offset: value.span().start }
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong_type<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'t>>,
        wanted: &str,
        faults: &mut Faults<'_>,
    ) -> Option<T> {
        let text = format!("must be {wanted}, and is {}", kind(value.get_ref()));
        faults.note(value.span().start, &self.key(key), text);
        None
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The nearest known key, else all of them.
fn suggestion(name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, candidate)) if distance <= 1 + candidate.len() / 4 => {
            format!("did you mean `{candidate}`?")
        }
        Some(_) | None => format!("the keys here are {}", known.join(", ")),
    }
}
