//! What is printed: lines, tables without borders and JSON documents on
//! stdout, remarks on stderr.
//!
//! Never prints an error. Whatever the daemon tells is made harmless before
//! it reaches a terminal.

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::failure::Failure;

/// The narrowest terminal that tables are fitted to.
const NARROWEST: u16 = 40;

/// A table under construction.
#[derive(Debug)]
pub(super) struct Columns(Table);

impl Columns {
    /// A table with these headings.
    pub(super) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let mut columns = Self::continued();
        columns.0.set_header(headings);
        columns
    }

    /// More rows for a table that has its headings already.
    pub(super) fn continued() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        // A serial console may say that it has no columns at all.
        if table.is_tty() && table.width() >= Some(NARROWEST) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        Self(table)
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.0.add_row(cells.map(harmless));
    }

    /// Prints it.
    pub(super) fn print(mut self) -> Result<(), Failure> {
        self.0.discover_columns();
        for column in self.0.column_iter_mut() {
            column.set_padding((2, 0));
        }
        line(&self.0.trim_fmt())
    }
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// Prints a document as one line of JSON.
pub(super) fn json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(document)
        .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    line(&text)
}

/// Says something to whoever is there on stderr.
pub(super) fn remark(text: &str) {
    // A remark that nobody can read hinders nothing.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes bytes as they are.
pub(super) fn write(bytes: &[u8]) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(bytes)?)
}

/// A text without characters that would steer a terminal.
pub(super) fn harmless(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(harmless("of\u{1b}[2Jfice\nä"), "of\\u{1b}[2Jfice\\nä");
    }
}
