//! `filterctl accesslist create`.

use clap::Args;
use hyper::Method;
use jiff::ZonedDateTime;
use serde_json::json;

use super::end::{self, End};
use crate::access_list::Address;
use crate::cli::answers::{App, Entry, NewEntry};
use crate::cli::change::Saved;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::terms::Terms;
use crate::cli::{output, terminal};

/// Which address to let in.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The IP address or CIDR block
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    ip: Option<Address>,

    /// What the entry is for
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    /// Let in the address that you are logged in from over SSH
    #[arg(long)]
    use_current: bool,

    /// Let everybody in: adds 0.0.0.0/0 and ::/0
    #[arg(long)]
    allow_all: bool,

    #[command(flatten)]
    end: End,

    /// List it without letting anybody in: `accesslist update --enable` does
    /// that later
    #[arg(long)]
    disabled: bool,

    #[command(flatten)]
    terms: Terms,
}

/// The whole of both families.
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// Adds the entry, or both of `--allow-all`.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let ways = [options.ip.is_some(), options.use_current, options.allow_all];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(Failure::usage("must only provide one IP address or CIDR block at a time")
            .with_advice("Give one of --ip, --use-current and --allow-all."));
    }
    if ways == [false; 3] && !invocation.is_attended() {
        return Err(Failure::usage("--ip is missing: give it, or --use-current, or --allow-all"));
    }
    let new = options.entry()?;
    let current = match options.use_current {
        true => Some(current_address(invocation)?),
        false => None,
    };
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    if options.allow_all {
        return allow_all(invocation, &app, new, &options.terms).await;
    }
    let address = match (&options.ip, current) {
        (Some(address), _) => address.text().to_owned(),
        (None, Some(current)) => current,
        (None, None) => terminal::ask_text("IP Address", |text| {
            Address::parse(text).map(drop).map_err(|error| error.to_string())
        })?,
    };
    let new = NewEntry { address: &address, ..new };
    add(invocation, &app, &new, &options.terms).await?.in_force()
}

impl Options {
    /// The entry to be but for its address.
    fn entry(&self) -> Result<NewEntry<'_>, Failure> {
        let end = self.end.after(&ZonedDateTime::now())?;
        Ok(NewEntry {
            address: "",
            comment: self.comment.as_deref(),
            enabled: self.disabled.then_some(false),
            expires: end.map(Some),
        })
    }
}

fn current_address(invocation: &Invocation) -> Result<String, Failure> {
    let found = invocation.session().ok_or_else(|| {
        Failure::usage("--use-current finds no SSH session that this runs in")
            .with_advice("Give the address with --ip.")
    })?;
    let address = found.session.peer.ip().to_string();
    let taken = format!("Your address is {address} (by {})", found.source);
    match invocation.json {
        true => output::remark(&json!({ "note": taken }).to_string()),
        false => output::line(&taken)?,
    }
    Ok(address)
}

async fn add(
    invocation: &Invocation,
    app: &App,
    new: &NewEntry<'_>,
    terms: &Terms,
) -> Result<Saved, Failure> {
    let path = app.access_list_path();
    let saved = invocation.change_on(terms, Method::POST, &path, Some(new)).await?;
    let entry: Entry = saved.parse()?;
    match invocation.json {
        true => output::json(&entry)?,
        false => {
            output::line(&format!("Successfully created allowed IP, id: {}", entry.id))?;
            end::tell(&entry)?;
        }
    }
    Ok(saved)
}

/// One of both families may be there already; both is an error like another.
async fn allow_all(
    invocation: &Invocation,
    app: &App,
    new: NewEntry<'_>,
    terms: &Terms,
) -> Result<(), Failure> {
    let mut terms = terms.clone();
    let mut held_back = None;
    let mut duplicates = Vec::new();
    for address in EVERYWHERE {
        let new = NewEntry { address, ..new };
        match add(invocation, app, &new, &terms).await {
            Ok(saved) => {
                terms = terms.after(saved.version());
                held_back = saved.held_back();
            }
            Err(failure) if failure.has_code("AllowedIPDuplicateAddress") => {
                duplicates.push((address, failure));
            }
            Err(failure) => return Err(failure),
        }
    }
    if duplicates.len() == EVERYWHERE.len() {
        return Err(Failure::new("0.0.0.0/0 and ::/0 are both on the list already")
            .with_code("AllowedIPDuplicateAddress"));
    }
    for (address, _) in duplicates {
        invocation.warn(&format!("{address} was on the list already"));
    }
    match held_back {
        None => Ok(()),
        Some(reason) => Err(Failure::not_in_force(reason)),
    }
}
