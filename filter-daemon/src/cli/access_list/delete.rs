//! `filterctl accesslist delete`.

use clap::Args;
use hyper::Method;
use serde::Serialize;

use super::entry_choice;
use crate::cli::answers::{App, Entry};
use crate::cli::change::tell_closed;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};
use crate::cli::terminal;
use crate::cli::terms::Terms;

/// Which entries.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The entry's address, as it is listed; repeat or separate by commas
    #[arg(long = "ip", value_name = "ADDRESS", value_delimiter = ',')]
    ips: Vec<String>,

    #[command(flatten)]
    terms: Terms,
}

/// What became of one entry.
#[derive(Debug, Serialize)]
struct Row<'a> {
    address: &'a str,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<String>,
}

/// Takes the entries off, all named ones or none.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    if options.ips.is_empty() && !invocation.is_attended() {
        return Err(Failure::usage("--ip is missing: name the entry by its address"));
    }
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let chosen = match options.ips.as_slice() {
        [] => asked(invocation.entries(&app).await?)?,
        wanted => named(invocation, &app, wanted).await?,
    };
    if chosen.is_empty() {
        return Err(Failure::new("no IP addresses or CIDR blocks to delete"));
    }
    delete(invocation, &app, &chosen, &options.terms).await
}

async fn named(
    invocation: &Invocation,
    app: &App,
    wanted: &[String],
) -> Result<Vec<Entry>, Failure> {
    let mut chosen: Vec<Entry> = Vec::new();
    let mut unknown = Vec::new();
    let mut remarks = Vec::new();
    for address in wanted {
        let Some(found) = invocation.entry(app, address).await? else {
            unknown.push(address.as_str());
            continue;
        };
        remarks.extend(entry_choice::remark(&found, address));
        if !chosen.iter().any(|entry| entry.id == found.id) {
            chosen.push(found);
        }
    }
    if unknown.is_empty() {
        remarks.iter().for_each(|remark| invocation.warn(remark));
        return Ok(chosen);
    }
    let unknown = unknown.join(", ");
    Err(Failure::new(format!("unable to find IP address(es) and/or CIDR block(s): {unknown}"))
        .with_advice("Nothing was deleted."))
}

fn asked(mut entries: Vec<Entry>) -> Result<Vec<Entry>, Failure> {
    if entries.is_empty() {
        return Ok(entries);
    }
    let question = "Which IP Address(es) and/or CIDR block(s) would you like to delete?";
    let choices: Vec<&str> = entries.iter().map(|entry| &*entry.address).collect();
    let places = terminal::ask_many(question, &choices)?;
    let mut place = 0..;
    entries.retain(|_| place.next().is_some_and(|place| places.contains(&place)));
    Ok(entries)
}

async fn delete(
    invocation: &Invocation,
    app: &App,
    chosen: &[Entry],
    terms: &Terms,
) -> Result<(), Failure> {
    let mut terms = terms.clone();
    let mut rows = Vec::with_capacity(chosen.len());
    let mut first_failure = None;
    let mut held_back = None;
    let mut closed = 0;
    for entry in chosen {
        let path = format!("{}/{}", app.access_list_path(), entry.id);
        let outcome = invocation.change_on(&terms, Method::DELETE, &path, None::<&()>).await;
        let details = outcome.as_ref().err().map(|failure| failure.why().to_owned());
        rows.push(Row { address: &entry.address, deleted: outcome.is_ok(), details });
        match outcome {
            Ok(saved) => {
                terms = terms.after(saved.version());
                closed += saved.closed();
                held_back = saved.held_back();
            }
            Err(failure) => first_failure = first_failure.or(Some(failure)),
        }
    }
    print(invocation, &rows)?;
    if !invocation.json {
        tell_closed(closed)?;
    }
    match (first_failure, held_back) {
        (Some(failure), _) => Err(failure),
        (None, Some(reason)) => Err(Failure::not_in_force(reason)),
        (None, None) => Ok(()),
    }
}

fn print(invocation: &Invocation, rows: &[Row<'_>]) -> Result<(), Failure> {
    if invocation.json {
        return output::json(&rows);
    }
    let deleted = rows.iter().filter(|row| row.deleted).count();
    output::line(&format!("Deleted {deleted} IP address(es) and/or CIDR block(s)"))?;
    let mut table = Columns::new(["IP Address", "Deleted", "Details"]);
    for row in rows {
        let done = if row.deleted { "true" } else { "false" };
        table.row([row.address, done, row.details.as_deref().unwrap_or_default()]);
    }
    table.print()
}
