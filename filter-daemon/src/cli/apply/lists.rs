//! The lists that a file names by `entries_from`.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use super::check::Desired;
use crate::access_list::Prefix;
use crate::cli::failure::Failure;
use crate::cli::feed_file;
use crate::feed::{Feed, Listed, Reading};

/// Reads them, relative to a directory, into the lists of their apps. What the
/// file itself says of a prefix goes before what a list says.
pub(super) async fn read(directory: &Path, apps: &mut [Desired]) -> Result<(), Failure> {
    for Desired { table, list } in apps {
        let Some(list) = list else { continue };
        let mut known: HashSet<Prefix> = list.iter().map(|entry| entry.address.prefix()).collect();
        for file in table.entries_from.iter().flatten() {
            let path = directory.join(file);
            let name = path.display().to_string();
            let feed = feed_file::read(&name, &path, Reading::default()).await;
            let feed = feed.map_err(|failure| with_way_out(failure, &table.name))?;
            take(list, &mut known, feed)
                .map_err(|why| Failure::new(format!("{name}: {why}")).with_code("InvalidFile"))?;
        }
    }
    Ok(())
}

fn take(list: &mut Vec<Listed>, known: &mut HashSet<Prefix>, feed: Feed) -> Result<(), String> {
    if feed.entries.is_empty() {
        return Err(
            "holds no address; nothing was changed. Take it out of entries_from if that is right"
                .to_owned(),
        );
    }
    let now = Timestamp::now();
    for entry in feed.entries {
        let has_ended = entry.expires.is_some_and(|end| end <= now);
        if !has_ended && known.insert(entry.address.prefix()) {
            list.push(entry);
        }
    }
    Ok(())
}

fn with_way_out(failure: Failure, app: &str) -> Failure {
    if !failure.has_code("BlockList") {
        return failure;
    }
    failure.with_advice(format!(
        "Nothing was changed. `filterctl accesslist import --app {app} --force` would import it."
    ))
}
