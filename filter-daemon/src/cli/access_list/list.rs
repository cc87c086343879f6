//! `filterctl accesslist list`.

use clap::Args;

use crate::cli::answers::{App, Entry, EntryList};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

const HEADINGS: [&str; 4] = ["IP Address", "Hits", "Last hit", "Comment"];

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
/// whose columns are equally wide.
fn print(entries: &[Entry]) -> Result<(), Failure> {
    let [address, hits, last_hit, _] = HEADINGS.map(str::len);
    let [wide, middle, last] = entries.iter().fold([address, hits, last_hit], widen);
    let mut table = Columns::new(HEADINGS);
    for piece in entries.chunks(ROWS_A_PIECE) {
        for entry in piece {
            let [address, hits, last_hit] = cells(entry);
            table.row([
                &format!("{address:wide$}"),
                &format!("{hits:>middle$}"),
                &format!("{last_hit:last$}"),
                &entry.comment,
            ]);
        }
        table.print()?;
        table = Columns::continued();
    }
    Ok(())
}

fn widen(widths: [usize; 3], entry: &Entry) -> [usize; 3] {
    let [address, hits, last_hit] = cells(entry).map(|cell| cell.len());
    let [wide, middle, last] = widths;
    [wide.max(address), middle.max(hits), last.max(last_hit)]
}

/// What is shown of an entry in front of its comment. The time is shown to
/// the second.
fn cells(entry: &Entry) -> [String; 3] {
    let last_hit = match (&entry.last_hit, entry.hits) {
        (Some(time), _) => match time.split_once('.') {
            Some((seconds, _)) => format!("{seconds}Z"),
            None => time.clone(),
        },
        (None, Some(_)) => "never".to_owned(),
        (None, None) => "unknown".to_owned(),
    };
    let hits = entry.hits.map_or_else(|| "unknown".to_owned(), |hits| hits.to_string());
    [entry.address.clone(), hits, last_hit]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(hits: &str) -> Entry {
        serde_json::from_str(&format!(r#"{{"_id":"1","address":"::1"{hits}}}"#)).expect("valid")
    }

    #[test]
    fn hits_are_shown_to_the_second() {
        let hit = entry(r#","hits":7,"last_hit":"2026-01-02T03:04:05.678Z""#);
        assert_eq!(cells(&hit), ["::1", "7", "2026-01-02T03:04:05Z"]);
        assert_eq!(cells(&entry(r#","hits":0"#)), ["::1", "0", "never"]);
        assert_eq!(cells(&entry("")), ["::1", "unknown", "unknown"]);
    }
}
