//! What an import did, or would do, for the reader.

use serde::Serialize;

use crate::cli::answers::Imported;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::feed::Feed;

/// As many addresses of each kind are shown of a plan; `--json` has all.
const ADDRESSES_SHOWN: usize = 50;

/// What was read, and for which app.
pub(super) struct Outcome<'a> {
    pub(super) file: &'a str,
    pub(super) app: &'a str,
    pub(super) feed: &'a Feed,
}

#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    format: &'static str,
    duplicates: usize,
    left_out: usize,
    #[serde(flatten)]
    imported: &'a Imported,
}

impl Outcome<'_> {
    /// Says what was done.
    pub(super) fn show(&self, json: bool, imported: &Imported) -> Result<(), Failure> {
        if json {
            return output::json(&self.report(false, imported));
        }
        let Self { file, app, feed } = self;
        let (title, counts) = (feed.format.title(), counts(imported));
        output::line(&format!("Imported {file} ({title}) into {app}: {counts}{}", self.rest()))
    }

    /// Says what would be done.
    pub(super) fn show_plan(&self, json: bool, imported: &Imported) -> Result<(), Failure> {
        if json {
            return output::json(&self.report(true, imported));
        }
        let Self { file, app, feed } = self;
        let (title, counts) = (feed.format.title(), counts(imported));
        output::line(&format!(
            "Dry run of {file} ({title}) into {app}: {counts}{}; nothing was changed",
            self.rest()
        ))?;
        for (sign, addresses) in [
            ('-', &imported.removed_addresses),
            ('~', &imported.changed_addresses),
            ('+', &imported.added_addresses),
        ] {
            show_addresses(sign, addresses.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn report<'i>(&self, dry_run: bool, imported: &'i Imported) -> Report<'i> {
        let Feed { format, duplicates, left_out, .. } = *self.feed;
        Report { dry_run, format: format.name(), duplicates, left_out, imported }
    }

    /// What of the file came to nothing.
    fn rest(&self) -> String {
        let mut rest = String::new();
        if self.feed.duplicates > 0 {
            rest.push_str(&format!("; {} duplicates in the file", self.feed.duplicates));
        }
        if self.feed.left_out > 0 {
            rest.push_str(&format!("; {} left out by the filter", self.feed.left_out));
        }
        rest
    }
}

fn counts(imported: &Imported) -> String {
    let Imported { added, removed, changed, unchanged, .. } = imported;
    match changed {
        0 => format!("{added} added, {removed} removed, {unchanged} unchanged"),
        _ => format!("{added} added, {removed} removed, {changed} changed, {unchanged} unchanged"),
    }
}

fn show_addresses(sign: char, addresses: &[String]) -> Result<(), Failure> {
    for address in addresses.iter().take(ADDRESSES_SHOWN) {
        output::line(&format!("{sign} {}", output::harmless(address)))?;
    }
    match addresses.len().saturating_sub(ADDRESSES_SHOWN) {
        0 => Ok(()),
        more => output::line(&format!("{sign} and {more} more; --json shows all")),
    }
}
