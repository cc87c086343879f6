//! What a list comes to: the smallest equal set of prefixes, and the entries
//! that could go.

use serde::{Deserialize, Serialize};

use crate::cli::answers::App;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

/// So many entries of one prefix are named; `--json` has all.
const ENTRIES_NAMED: usize = 8;

const ROWS_A_PIECE: usize = 10_000;

/// What a list comes to.
#[derive(Debug, Deserialize, Serialize)]
struct Effective {
    version: u64,
    prefixes: Vec<Merged>,
    redundant: Vec<Redundant>,
}

/// A prefix and the entries that made it.
#[derive(Debug, Deserialize, Serialize)]
struct Merged {
    prefix: Box<str>,
    entries: Vec<EntryRef>,
}

/// An entry that could go, and the one that covers it.
#[derive(Debug, Deserialize, Serialize)]
struct Redundant {
    entry: EntryRef,
    covered_by: EntryRef,
}

#[derive(Debug, Deserialize, Serialize)]
struct EntryRef {
    #[serde(rename = "_id")]
    id: Box<str>,
    address: Box<str>,
}

/// Shows what the list of an app comes to.
pub(super) async fn show(invocation: &Invocation, app: &App) -> Result<(), Failure> {
    let path = format!("{}/effective", app.access_list_path());
    let effective: Effective = invocation.client.read(&path).await?;
    match invocation.json {
        true => output::json(&effective),
        false => print(&effective),
    }
}

fn print(effective: &Effective) -> Result<(), Failure> {
    let Effective { prefixes, redundant, .. } = effective;
    if prefixes.is_empty() {
        return output::line("Nobody is let in: no entry is enabled");
    }
    output::line(&format!("{} prefix(es) let in whom the list lets in", prefixes.len()))?;
    print_rows(["Prefix", "Entries"], prefixes, |merged| {
        [merged.prefix.to_string(), named(&merged.entries)]
    })?;
    if redundant.is_empty() {
        return output::line("\nNo entry is redundant");
    }
    output::line(&format!(
        "\n{} redundant entry(ies): others cover what they let in, so that they could go",
        redundant.len()
    ))?;
    print_rows(["IP Address", "Covered by"], redundant, |Redundant { entry, covered_by }| {
        [entry.address.to_string(), covered_by.address.to_string()]
    })
}

/// In pieces, whose first columns are equally wide.
fn print_rows<T>(
    headings: [&str; 2],
    rows: &[T],
    cells: impl Fn(&T) -> [String; 2],
) -> Result<(), Failure> {
    let width = rows.iter().map(|row| cells(row)[0].len()).max().unwrap_or_default();
    let mut table = Columns::new(headings);
    for piece in rows.chunks(ROWS_A_PIECE) {
        for row in piece {
            let [first, second] = cells(row);
            table.row([&format!("{first:width$}"), &second]);
        }
        table.print()?;
        table = Columns::continued();
    }
    Ok(())
}

fn named(entries: &[EntryRef]) -> String {
    let named: Vec<&str> =
        entries.iter().take(ENTRIES_NAMED).map(|entry| &*entry.address).collect();
    match entries.len().saturating_sub(ENTRIES_NAMED) {
        0 => named.join("  "),
        more => format!("{}  and {more} more", named.join("  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_entries_are_counted() {
        let entries = |count| {
            let entry = |number| EntryRef { id: "1".into(), address: format!("::{number}").into() };
            (0..count).map(entry).collect::<Vec<_>>()
        };
        assert_eq!(named(&entries(2)), "::0  ::1");
        assert!(named(&entries(10)).ends_with("::7  and 2 more"));
    }
}
