//! Rules for the README: its table of reasons is the program's own, and its
//! test command is the one that is run before a merge.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use filter_common::reason::Reason;

const BEGIN: &str = "<!-- reasons:begin -->\n";
const END: &str = "<!-- reasons:end -->\n";

/// What is wrong with it.
pub(super) fn faults(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join("README.md"))?;
    let gate = fs::read_to_string(root.join(".ci/run"))?;
    let mut faults = Vec::new();
    if with_table(&text)? != text {
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
    let path = root.join("README.md");
    let text = with_table(&fs::read_to_string(&path)?)?;
    Ok(fs::write(path, text)?)
}

fn with_table(text: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).context("README.md has no reasons:begin")?;
    let (_, after) = rest.split_once(END).context("README.md has no reasons:end")?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", table()))
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
    fn table_replaces_what_stood_there() {
        let text = format!("a\n{BEGIN}| stale |\n{END}b\n");
        let new = with_table(&text).expect("has markers");
        assert!(new.starts_with("a\n") && new.ends_with("b\n") && !new.contains("stale"));
        assert!(new.contains("| `not_listed` | refused |"));
        assert_eq!(with_table(&new).expect("has markers"), new);
        assert!(with_table("no markers").is_err());
    }
}
