//! `filterctl key list`.

use super::answers::Key;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

const HEADINGS: [&str; 7] =
    ["Public key", "Enabled", "Usable from", "Requests", "Last used", "Last from", "Description"];

/// Lists all keys.
pub(super) async fn run(invocation: &Invocation) -> Result<(), Failure> {
    let keys = invocation.keys().await?;
    if invocation.json {
        return output::json(&keys);
    }
    if keys.is_empty() {
        return output::line("No available API keys to show");
    }
    output::line(&format!("Found {} API key(s)", keys.len()))?;
    let mut table = Columns::new(HEADINGS);
    for key in &keys {
        let [requests, last, from] = key.seen.cells();
        let enabled = if key.enabled { "true" } else { "false" };
        let usable = usable_from(key);
        table.row([&key.public_key, enabled, &usable, &requests, &last, &from, &key.description]);
    }
    table.print()
}

fn usable_from(key: &Key) -> String {
    let addresses: Vec<_> = key.access_list.iter().map(|source| source.address.as_str()).collect();
    match addresses.as_slice() {
        [] => "anywhere".to_owned(),
        addresses => addresses.join(" "),
    }
}
