//! Tables for the README.

use std::fmt::{Arguments, Write as _};

/// Cells of a table; the first row is its head.
pub type Cells = Vec<Vec<String>>;

/// Adds a table with its title; nothing when it has only a head.
pub fn section(text: &mut String, title: &str, cells: &Cells) {
    let Some((head, rows)) = cells.split_first() else { return };
    if rows.is_empty() {
        return;
    }
    line(text, format_args!("\n{title}:\n"));
    line(text, format_args!("| {} |", head.join(" | ")));
    line(text, format_args!("|{}", " --- |".repeat(head.len())));
    for row in rows {
        line(text, format_args!("| {} |", row.join(" | ")));
    }
}

/// Rows below a head.
pub fn with_head(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Cells {
    let head = head.iter().map(|&title| title.to_owned()).collect();
    std::iter::once(head).chain(rows).collect()
}

/// 1000000 as 1,000,000.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits are ASCII"))
        .collect();
    groups.join(",")
}

fn line(text: &mut String, arguments: Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a String takes everything");
}
