//! `filterctl accesslist list`.

use clap::Args;

use crate::cli::answers::Entry;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

const HEADINGS: [&str; 6] = ["IP Address", HITS, "Last hit", "Status", "Expires", "Comment"];

const LONG_HEADINGS: [&str; 9] = [
    "IP Address",
    HITS,
    "Last hit",
    "Status",
    "Expires",
    "Author",
    "Created",
    "Changed",
    "Comment",
];

/// Numbers stand under one another.
const HITS: &str = "Hits";

const ROWS_A_PIECE: usize = 10_000;

/// Whose list, and how much of it.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// Also who wrote each entry, and when
    #[arg(long)]
    long: bool,
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
    match options.long {
        true => print(LONG_HEADINGS, &entries, long_cells),
        false => print(HEADINGS, &entries, cells),
    }
}

/// A table of a million rows would fill the memory: it is printed in pieces,
/// whose columns are equally wide.
fn print<const N: usize>(
    headings: [&str; N],
    entries: &[Entry],
    cells: impl Fn(&Entry) -> [String; N],
) -> Result<(), Failure> {
    let widths = entries.iter().fold(headings.map(str::len), |widths, entry| {
        let cells = cells(entry);
        std::array::from_fn(|place| widths[place].max(cells[place].chars().count()))
    });
    let mut table = Columns::new(headings);
    for piece in entries.chunks(ROWS_A_PIECE) {
        for entry in piece {
            let cells = cells(entry);
            let padded: [String; N] = std::array::from_fn(|place| {
                let (cell, width) = (&cells[place], widths[place]);
                match headings[place] {
                    HITS => format!("{cell:>width$}"),
                    // What stands last needs no room behind it.
                    _ if place + 1 == N => cell.clone(),
                    _ => format!("{cell:width$}"),
                }
            });
            table.row(padded.each_ref().map(String::as_str));
        }
        table.print()?;
        table = Columns::continued();
    }
    Ok(())
}

fn cells(entry: &Entry) -> [String; 6] {
    let last_hit = match (&entry.last_hit, entry.hits) {
        (Some(time), _) => to_second(time),
        (None, Some(_)) => "never".to_owned(),
        (None, None) => "unknown".to_owned(),
    };
    [
        entry.address.to_string(),
        entry.hits.map_or_else(|| "unknown".to_owned(), |hits| hits.to_string()),
        last_hit,
        entry.status.to_string(),
        entry.expires.as_deref().unwrap_or("never").to_owned(),
        entry.comment.to_string(),
    ]
}

fn long_cells(entry: &Entry) -> [String; 9] {
    let [address, hits, last_hit, status, expires, comment] = cells(entry);
    let Entry { author, created, changed, .. } = entry;
    let [author, created, changed] = [author, created, changed].map(ToString::to_string);
    [address, hits, last_hit, status, expires, author, created, changed, comment]
}

/// A time without fractions of a second.
fn to_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(more: Value) -> Entry {
        let mut entry = json!({
            "_id": "1", "address": "::1", "comment": "loop", "enabled": true, "expires": null,
            "status": "applied", "author": "root", "created": "2026-01-01T00:00:00Z",
            "changed": "2026-01-02T00:00:00Z",
        });
        let more: serde_json::Map<_, _> = serde_json::from_value(more).expect("an object");
        entry.as_object_mut().expect("an object").extend(more);
        serde_json::from_value(entry).expect("an entry")
    }

    #[test]
    fn hits_are_shown_to_the_second() {
        let hit = entry(json!({ "hits": 7, "last_hit": "2026-01-02T03:04:05.678Z" }));
        assert_eq!(cells(&hit)[..3], ["::1", "7", "2026-01-02T03:04:05Z"]);
        assert_eq!(cells(&entry(json!({ "hits": 0 })))[..3], ["::1", "0", "never"]);
        assert_eq!(cells(&entry(json!({})))[..3], ["::1", "unknown", "unknown"]);
    }

    #[test]
    fn every_heading_has_its_cell() {
        let end = "2026-03-01T00:00:00Z";
        let cells = long_cells(&entry(json!({ "status": "expired", "expires": end })));
        let place = |heading| LONG_HEADINGS.iter().position(|title| *title == heading);
        for (heading, cell) in [
            ("Status", "expired"),
            ("Expires", end),
            ("Author", "root"),
            ("Created", "2026-01-01T00:00:00Z"),
            ("Changed", "2026-01-02T00:00:00Z"),
            ("Comment", "loop"),
        ] {
            assert_eq!(cells[place(heading).expect(heading)], cell, "{heading}");
        }
    }
}
