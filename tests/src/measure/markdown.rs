//! Tables for the README.

use std::fmt::{Arguments, Write as _};

use super::Demand;

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

/// What a project asks of itself, a row each.
pub fn demands(demands: &[Demand]) -> Cells {
    let rows = demands.iter().map(|demand| {
        let measured = demand.measured.map_or_else(String::new, |m| format!("{m:.2}"));
        vec![demand.what.clone(), demand.limit(), measured, demand.outcome().to_owned()]
    });
    with_head(&["what", "limit", "measured", ""], rows)
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
