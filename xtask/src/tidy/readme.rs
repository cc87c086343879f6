//! Rules for the README: its table of reasons is the program's own, and its
//! test command is the one that is run before a merge.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use filter_common::reason::Reason;

use crate::section;

/// The part of the README that holds the table.
const SECTION: &str = "reasons";

/// What is wrong with it.
pub(super) fn faults(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join("README.md"))?;
    let gate = fs::read_to_string(root.join(".ci/run"))?;
    let mut faults = Vec::new();
    if section::replace(&text, SECTION, &table())? != text {
        faults.push(
            "README.md: its table of reasons is not filter-common's: `cargo xtask tidy --fix`"
                .to_owned(),
        );
    }
    let command = gate.lines().last().unwrap_or_default();
    if !text.lines().any(|line| line.trim() == command) {
        faults.push(format!("README.md: does not show `{command}`, which .ci/run ends with"));
    }
    Ok(faults)
}

/// Puts the table in its place.
pub(super) fn write(root: &Path) -> Result<()> {
    section::write(root, SECTION, &table())
}

fn table() -> String {
    let mut table = "| reason | packet | when |\n| --- | --- | --- |\n".to_owned();
    for reason in Reason::ALL {
        let fate = if reason.refuses() { "refused" } else { "passes" };
        let (name, when) = (reason.name(), reason.explanation());
        writeln!(table, "| `{name}` | {fate} | {when} |").expect("a String takes everything");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_a_line_a_reason() {
        let table = table();
        assert_eq!(table.lines().count(), 2 + Reason::ALL.len());
        assert!(table.contains("| `not_listed` | refused |"));
    }
}
