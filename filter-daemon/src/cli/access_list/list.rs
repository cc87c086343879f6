//! `filterctl accesslist list`.

use clap::Args;

use crate::cli::answers::{App, Entry, EntryList};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

/// Whose list.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,
}

impl Invocation {
    /// The entries of an app, oldest first.
    pub(super) async fn entries(&self, app: &App) -> Result<Vec<Entry>, Failure> {
        let list: EntryList = self.client.read(&app.access_list_path()).await?;
        Ok(list.allowed_ips)
    }
}

/// Lists the entries.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let entries = invocation.entries(&app).await?;
    if invocation.json {
        return output::json(&entries);
    }
    if entries.is_empty() {
        return output::line("No available allowed IP addresses and/or CIDR blocks to show");
    }
    let found = entries.len();
    output::line(&format!("Found {found} allowed IP address(es) and/or CIDR block(s)"))?;
    let mut table = Columns::new(["IP Address", "Comment"]);
    for entry in &entries {
        table.row([&entry.address, &entry.comment]);
    }
    table.print()
}
