//! `filterctl history`: the versions of a list.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::invocation::Invocation;
use super::output::{self, Columns};

/// Whose list, and how far back.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// As many of the latest versions
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

/// A version, and where it comes from.
#[derive(Debug, Deserialize, Serialize)]
struct Version {
    version: u64,
    /// The revision of everything that filterd keeps.
    revision: u64,
    at: String,
    who: String,
    from: String,
    action: String,
    reason: String,
    added: u64,
    removed: u64,
    changed: u64,
    /// How many entries it has.
    entries: u64,
}

/// Shows them, latest first.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let path = format!("{}/versions", app.access_list_path());
    let versions =
        invocation.newest(&path, options.limit, |version: &Version| version.version).await?;
    if invocation.json {
        return output::json(&versions);
    }
    let headings = ["Version", "When", "Who", "From", "What", "+", "-", "~", "Entries", "Reason"];
    let mut table = Columns::new(headings);
    for version in &versions {
        let Version { added, removed, changed, entries, .. } = version;
        table.row([
            &version.version.to_string(),
            &version.at,
            &version.who,
            &version.from,
            &version.action,
            &added.to_string(),
            &removed.to_string(),
            &changed.to_string(),
            &entries.to_string(),
            &version.reason,
        ]);
    }
    table.print()
}
