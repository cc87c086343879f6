//! What is wrong with a file, and where.

use std::fmt;

/// The most faults that are kept with their places; the others are counted.
const MOST_TOLD: usize = 1000;

/// The longest piece of a file that is shown in a fault, in characters.
const EXCERPT: usize = 60;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// Where in a JSON document, such as `prefixes[12].ip_prefix`; empty in
    /// other files.
    pub path: String,
    /// What is wrong, and what to do.
    pub why: String,
}

/// All that is wrong with a file, in its order; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The faults, or the first of very many.
    pub told: Vec<Fault>,
    /// How many more there are.
    pub more: usize,
}

/// The faults found so far, by their offset in the text.
#[derive(Debug, Default)]
pub(super) struct Noted {
    found: Vec<(usize, String, String)>,
    more: usize,
}

impl Fault {
    /// A fault of the file as such.
    pub(super) fn whole(line: usize, why: impl Into<String>) -> Self {
        Self { line, path: String::new(), why: why.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, path, why } = self;
        match path.is_empty() {
            true => write!(f, "line {line}: {why}"),
            false => write!(f, "line {line}, {path}: {why}"),
        }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { told: vec![fault], more: 0 }
    }
}

impl Faults {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.told.len() + self.more
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.told.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl Noted {
    /// Notes a fault at an offset of the text.
    pub(super) fn note(&mut self, at: usize, path: fmt::Arguments<'_>, why: impl Into<String>) {
        match self.found.len() < MOST_TOLD {
            true => self.found.push((at, path.to_string(), why.into())),
            false => self.more += 1,
        }
    }

    /// All faults with their lines, if there are any.
    pub(super) fn into_faults(mut self, text: &str) -> Option<Faults> {
        self.found.sort_by_key(|(at, _, _)| *at);
        let (mut line, mut counted) = (1, 0);
        let mut told = Vec::with_capacity(self.found.len());
        for (at, path, why) in self.found {
            let between = text.as_bytes().get(counted..at).unwrap_or_default();
            line += between.iter().filter(|byte| **byte == b'\n').count();
            counted = counted.max(at);
            told.push(Fault { line, path, why });
        }
        (!told.is_empty()).then_some(Faults { told, more: self.more })
    }
}

/// A piece of a file in quotes, cut where it is long.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
