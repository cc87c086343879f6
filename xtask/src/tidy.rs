//! `cargo xtask tidy`: the rules of the house that clippy does not know.
//!
//! Owns the walk over the checkout and the list of faults; each file below
//! holds the rules for one kind of file. Changes nothing, but for the
//! generated part of the README when asked to.

mod manifest;
mod readme;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// Checks every file, or writes what can be generated.
pub(crate) fn run(fix: bool) -> Result<()> {
    let root = workspace::root();
    if fix {
        readme::write(root)?;
    }
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut faults = readme::faults(root)?;
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
        let text = || fs::read_to_string(file).with_context(|| format!("cannot read {name}"));
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => faults.extend(source::faults(&name, &text()?)),
            Some("toml") if name.ends_with("Cargo.toml") => {
                faults.extend(manifest::faults(&name, &text()?));
            }
            _ => {}
        }
    }
    if !faults.is_empty() {
        bail!("the house is not tidy:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

/// Every file that is ours: not what cargo builds, nothing hidden.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => collect(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}
