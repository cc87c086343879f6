//! `filterctl accesslist update`.

use clap::Args;
use hyper::Method;
use serde::Serialize;

use super::entry_choice;
use crate::access_list::Address;
use crate::cli::answers::Entry;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::{output, terminal};

/// Which entry, and what it shall be.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The entry's address, as it is listed
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,

    /// The new IP address or CIDR block
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    new_ip: Option<Address>,

    /// The new comment; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

/// Changes the entry.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    if options.new_ip.is_none() && options.comment.is_none() {
        return Err(Failure::usage(
            "must set either --new-ip or --comment when updating an allowed IP address or CIDR block",
        ));
    }
    if options.ip.is_none() && !invocation.is_attended() {
        return Err(Failure::usage("--ip is missing: name the entry by its address"));
    }
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let entries = invocation.entries(&app).await?;
    let entry = match &options.ip {
        Some(wanted) => named(invocation, &entries, wanted)?,
        None => asked(&entries)?,
    };
    // An empty address means that it stays, on the wire.
    let address = options.new_ip.as_ref().map_or("", Address::text);
    let body = Body { address, comment: options.comment.as_deref() };
    let path = format!("{}/{}", app.access_list_path(), entry.id);
    let saved = invocation.change(Method::PATCH, &path, Some(&body)).await?;
    match invocation.json {
        true => output::json(&saved.parse::<Entry>()?)?,
        false => output::line("Successfully updated allowed IP")?,
    }
    saved.in_force()
}

fn named<'a>(
    invocation: &Invocation,
    entries: &'a [Entry],
    wanted: &str,
) -> Result<&'a Entry, Failure> {
    let found = entry_choice::find(entries, wanted)
        .ok_or_else(|| Failure::new(format!("unable to find allowed IP: {wanted}")))?;
    if let Some(remark) = found.remark(wanted) {
        invocation.warn(&remark);
    }
    Ok(found.entry())
}

fn asked(entries: &[Entry]) -> Result<&Entry, Failure> {
    if entries.is_empty() {
        return Err(Failure::new("no IP addresses or CIDR blocks to update"));
    }
    let choices: Vec<String> = entries.iter().map(entry_choice::describe).collect();
    let place = terminal::ask_one("Select an IP address or CIDR block to update", &choices)?;
    Ok(&entries[place])
}
