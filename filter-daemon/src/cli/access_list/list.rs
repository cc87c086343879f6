//! `filterctl accesslist list`.

use clap::Args;

use crate::cli::answers::{App, Entry, EntryList};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

const ADDRESS: &str = "IP Address";

const ROWS_A_PIECE: usize = 10_000;

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
    print(&entries)
}

/// A table of a million rows would fill the memory: it is printed in pieces,
/// whose first columns are equally wide.
fn print(entries: &[Entry]) -> Result<(), Failure> {
    let addresses = entries.iter().map(|entry| entry.address.as_str());
    let width = addresses.chain([ADDRESS]).map(str::len).max().unwrap_or_default();
    let mut table = Columns::new([ADDRESS, "Comment"]);
    for piece in entries.chunks(ROWS_A_PIECE) {
        for entry in piece {
            table.row([&format!("{:width$}", entry.address), &entry.comment]);
        }
        table.print()?;
        table = Columns::continued();
    }
    Ok(())
}
