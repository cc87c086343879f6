//! `filterctl restore`: makes a list what it was at an earlier version.

use clap::Args;
use hyper::Method;

use super::answers::{App, Imported};
use super::diff::Diff;
use super::failure::Failure;
use super::invocation::Invocation;
use super::output;
use super::terms::Reason;

/// As many lines of each kind are shown of what would be different.
const LINES_SHOWN: usize = 50;

/// Whose list, and which version.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The version, as `filterctl history` tells it
    #[arg(value_name = "VERSION")]
    target: u64,

    /// Show what would be different, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    reason: Reason,
}

/// Shows what would be different, asks, and does it as one change.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let Options { target: version, dry_run, .. } = *options;
    let id = &app.client_app_id;
    let diff = Diff::read(invocation, &app, app.version, Some(version)).await?;
    if !invocation.json {
        if diff.is_empty() {
            return output::line(&format!("The list of {id} is as it was at version {version}"));
        }
        diff.print(LINES_SHOWN)?;
    }
    if dry_run {
        return rehearse(invocation, options, &app).await;
    }
    invocation.confirm(&format!("Make the list of {id} what it was at version {version}?"))?;
    // What was shown is what is done.
    let terms = options.reason.of_version(Some(app.version));
    let path = path(&app, version);
    let saved = invocation.change_on(&terms, Method::POST, &path, None::<&()>).await?;
    let restored: Imported = saved.parse()?;
    if invocation.json {
        output::json(&restored)?;
    } else {
        let now = restored.version;
        output::line(&format!("Restored version {version} of {id} as version {now}"))?;
        saved.tell_closed()?;
    }
    saved.in_force()
}

async fn rehearse(invocation: &Invocation, options: &Options, app: &App) -> Result<(), Failure> {
    let terms = options.reason.of_version(Some(app.version));
    let path = format!("{}?dry_run=true", path(app, options.target));
    let would = invocation.rehearse(&terms, Method::POST, &path, None::<&()>).await?;
    match invocation.json {
        true => output::json(&would.parse::<Imported>()?),
        false => output::line("Dry run: nothing was changed"),
    }
}

fn path(app: &App, version: u64) -> String {
    format!("{}/versions/{version}/restore", app.access_list_path())
}
