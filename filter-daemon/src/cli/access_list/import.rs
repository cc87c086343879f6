//! `filterctl accesslist import`.

mod outcome;
mod selection;

use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::answers::{App, Imported, NewEntry};
use crate::cli::failure::Failure;
use crate::cli::feed_file::{self, STANDARD_INPUT};
use crate::cli::invocation::Invocation;
use crate::cli::terms::Terms;
use crate::feed::{Feed, Format, Listed};
use outcome::Outcome;
use selection::Selection;

/// What to import, and how.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// A list of addresses; `-` is standard input
    ///
    /// One address, CIDR or first-last range a line, a JSON array of addresses,
    /// an export of filterctl, or the list of a cloud or network as it is
    /// published: see --format.
    file: PathBuf,

    #[command(flatten)]
    selection: Selection,

    /// Take off every entry that is not in the file
    #[arg(long)]
    replace: bool,

    /// With --replace: refuse to take off more than this share of the list
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 50,
        requires = "replace",
        value_parser = clap::value_parser!(u8).range(..=100)
    )]
    shrink_guard: u8,

    /// Import a known block list all the same, and take off as much as the
    /// file says
    #[arg(long)]
    force: bool,

    /// Show what would be different, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// What the entries are for, in place of what the file says
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    #[command(flatten)]
    terms: Terms,
}

#[derive(Serialize)]
struct Body<'a> {
    entries: Vec<NewEntry<'a>>,
    replace: bool,
    dry_run: bool,
    shrink_guard_percent: Option<u8>,
}

/// Reads the whole file, and sends it as one change if it has no fault.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    if options.file == Path::new(STANDARD_INPUT) && options.app.is_none() {
        return Err(Failure::usage("--app is missing: standard input is read as the list"));
    }
    let name = options.name();
    let reading = options.selection.reading(options.force);
    let mut feed = feed_file::read(&name, &options.file, reading).await?;
    leave_ended_out(invocation, &name, &mut feed);
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    if feed.entries.is_empty() {
        confirm_nobody(invocation, options, &name, &app)?;
    }
    for everywhere in feed.entries.iter().filter(|entry| is_everywhere(entry)) {
        let address = everywhere.address.text();
        invocation.warn(&format!("{name} holds {address}, which lets everybody in"));
    }
    let body = options.body(&feed);
    let path = format!("{}/import", app.access_list_path());
    let outcome = Outcome { file: &name, app: &app.client_app_id, feed: &feed };
    if options.dry_run {
        let would = invocation.rehearse(&options.terms, Method::POST, &path, Some(&body)).await?;
        let would: Imported = would.parse()?;
        options.warn_of_guard(invocation, &would);
        return outcome.show_plan(invocation.json, &would);
    }
    let saved = invocation.change_on(&options.terms, Method::POST, &path, Some(&body)).await;
    let saved = saved.map_err(with_way_out)?;
    outcome.show(invocation.json, &saved.parse()?)?;
    if !invocation.json {
        saved.tell_closed()?;
    }
    saved.in_force()
}

impl Options {
    fn name(&self) -> String {
        match self.file == Path::new(STANDARD_INPUT) {
            true => "standard input".to_owned(),
            false => self.file.display().to_string(),
        }
    }

    fn body<'a>(&'a self, feed: &'a Feed) -> Body<'a> {
        // An export says all that there is to say of an entry, also where it
        // says nothing; another file leaves the rest of an entry as it is.
        let is_whole = feed.format == Format::Full;
        let entry = |listed: &'a Listed| NewEntry {
            address: listed.address.text(),
            comment: match (&self.comment, &listed.comment) {
                (Some(comment), _) => Some(comment),
                (None, Some(comment)) => Some(comment),
                (None, None) => is_whole.then_some(""),
            },
            enabled: is_whole.then_some(listed.enabled),
            expires: is_whole.then_some(listed.expires),
        };
        Body {
            entries: feed.entries.iter().map(entry).collect(),
            replace: self.replace,
            dry_run: self.dry_run,
            // A plan is shown whatever would become of it.
            shrink_guard_percent: self.guard().filter(|_| !self.dry_run),
        }
    }

    /// The share that may go, in percent.
    fn guard(&self) -> Option<u8> {
        (self.replace && !self.force).then_some(self.shrink_guard)
    }

    /// Says if the import that was tried would be refused.
    fn warn_of_guard(&self, invocation: &Invocation, would: &Imported) {
        let Imported { removed, changed, unchanged, .. } = would;
        let size = removed + changed + unchanged;
        if let Some(percent) =
            self.guard().filter(|percent| removed * 100 > size * u64::from(*percent))
        {
            invocation.warn(&format!(
                "{removed} of {size} entries would go, which is more than {percent} % \
                 and needs --force, or --shrink-guard with another share"
            ));
        }
    }
}

fn is_everywhere(entry: &Listed) -> bool {
    entry.enabled && entry.address.prefix().network().prefix_len() == 0
}

/// An entry whose end has passed lets nobody in, and the daemon takes none.
fn leave_ended_out(invocation: &Invocation, name: &str, feed: &mut Feed) {
    let now = Timestamp::now();
    let before = feed.entries.len();
    feed.entries.retain(|entry| entry.expires.is_none_or(|end| end > now));
    let ended = before - feed.entries.len();
    if ended > 0 {
        invocation.warn(&format!("{name} holds {ended} entries whose end has passed: left out"));
    }
}

fn confirm_nobody(
    invocation: &Invocation,
    options: &Options,
    name: &str,
    app: &App,
) -> Result<(), Failure> {
    if !options.replace {
        return Err(Failure::new(format!("{name} holds no address; nothing was changed")));
    }
    if options.dry_run {
        return Ok(());
    }
    let id = &app.client_app_id;
    let question =
        format!("{name} holds no address: take every entry of {id} off, so that nobody gets in?");
    invocation.confirm(&question)
}

fn with_way_out(failure: Failure) -> Failure {
    if !failure.has_code("ShrinkGuard") {
        return failure;
    }
    failure.with_advice(
        "Nothing was changed. --dry-run shows what would go; \
         --force takes it off, --shrink-guard PERCENT lets another share go.",
    )
}

#[cfg(test)]
mod tests;
