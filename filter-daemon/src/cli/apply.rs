//! `filterctl apply`: makes apps and their lists what a file says.
//!
//! The daemon works out first what would be different; that is shown, and
//! done as one change, or not at all if something has changed meanwhile.

mod check;
mod document;
mod lists;
mod plan;

use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use jiff::Timestamp;
use serde::Serialize;
use tokio::io::AsyncReadExt as _;

use super::answers::Group;
use super::failure::Failure;
use super::feed_file::STANDARD_INPUT;
use super::file_fault;
use super::invocation::Invocation;
use super::output;
use super::terms::Reason;
use check::Desired;
use plan::Plan;

/// Which file, and how.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The file, TOML or JSON; `-` is standard input
    ///
    /// [[app]] tables with a name, and as much of mode, scopes, trusted_hops,
    /// origins, require_origin, proxy, entries and entries_from as is to be
    /// decided by the file: what it does not say of an app stays as it is.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,

    /// Show what would be different, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Delete the apps of the group that are not in the file
    #[arg(long)]
    prune: bool,

    /// The group that owns the apps, by name or id
    #[arg(long, value_name = "NAME|ID")]
    group: Option<String>,

    #[command(flatten)]
    reason: Reason,
}

#[derive(Serialize)]
struct Body<'a> {
    apps: Vec<check::App<'a>>,
    prune: bool,
    dry_run: bool,
}

/// Shows the plan, asks, and does it.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let desired = options.read(invocation).await?;
    if options.prune && desired.is_empty() {
        let text = format!("{} names no app, and --prune would delete all of them", options.name());
        return Err(Failure::new(text).with_advice("`filterctl app delete` deletes apps."));
    }
    let group = invocation.group(options.group.as_deref()).await?;
    let path = format!("{}/apply", group.path());
    let terms = options.reason.of_version(None);
    let body = options.body(&desired, true);
    let planned = invocation.rehearse(&terms, Method::POST, &path, Some(&body)).await?;
    let plan: Plan = planned.parse()?;
    if !invocation.json {
        plan.print(&options.name())?;
    }
    if options.dry_run || plan.is_empty() {
        return show_end(invocation, options, &plan);
    }
    invocation.confirm(&question(&group, &plan))?;
    // What was shown is what is done.
    let terms = options.reason.of_version(planned.version());
    let body = options.body(&desired, false);
    let saved = invocation.change_on(&terms, Method::POST, &path, Some(&body)).await?;
    if invocation.json {
        output::json(&saved.parse::<Plan>()?)?;
    } else {
        output::line(&format!("Applied {}", options.name()))?;
        saved.tell_closed()?;
    }
    saved.in_force()
}

fn show_end(invocation: &Invocation, options: &Options, plan: &Plan) -> Result<(), Failure> {
    match (invocation.json, options.dry_run && !plan.is_empty()) {
        (true, _) => output::json(plan),
        (false, true) => output::line("Dry run: nothing was changed"),
        (false, false) => output::line("Everything is as the file says"),
    }
}

fn question(group: &Group, plan: &Plan) -> String {
    match plan.deleted() {
        0 => format!("Change the apps of group {} as shown?", group.name),
        deleted => format!(
            "Change the apps of group {} as shown, and delete {deleted} with their lists?",
            group.name
        ),
    }
}

impl Options {
    fn name(&self) -> String {
        match self.is_standard_input() {
            true => "standard input".to_owned(),
            false => self.file.display().to_string(),
        }
    }

    fn is_standard_input(&self) -> bool {
        self.file == Path::new(STANDARD_INPUT)
    }

    /// Reads the file and the lists that it names.
    async fn read(&self, invocation: &Invocation) -> Result<Vec<Desired>, Failure> {
        let name = self.name();
        let bytes = self.bytes().await.map_err(|error| Failure::new(format!("{name}: {error}")))?;
        let file = (!self.is_standard_input()).then_some(&*self.file);
        let now = Timestamp::now();
        let checked = document::read(file, &bytes)
            .and_then(|read| check::check(read.document, now, &read.text, read.form));
        let mut checked = checked.map_err(|faults| file_fault::refusal(&name, &faults))?;
        for address in &checked.ended {
            let remark = format!("{name}: the end of {address} has passed: it is left out");
            invocation.warn(&remark);
        }
        let directory = file.and_then(Path::parent).unwrap_or(Path::new(""));
        lists::read(directory, &mut checked.apps).await?;
        Ok(checked.apps)
    }

    async fn bytes(&self) -> std::io::Result<Vec<u8>> {
        if !self.is_standard_input() {
            return std::fs::read(&self.file);
        }
        let mut bytes = Vec::new();
        tokio::io::stdin().read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    fn body<'a>(&self, desired: &'a [Desired], dry_run: bool) -> Body<'a> {
        Body { apps: desired.iter().map(Desired::on_wire).collect(), prune: self.prune, dry_run }
    }
}
