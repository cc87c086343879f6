//! `filterctl origins`: the web pages that may call an app.

mod config_file;
mod edit;
mod import;
mod set;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answers::App;
use super::change::Saved;
use super::failure::Failure;
use super::invocation::Invocation;
use super::output::{self, Columns};
use crate::origin::Origin;

/// What can be done with origins.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the allowed request origins
    #[command(visible_alias = "ls")]
    List {
        /// The app: its id, its name, or the beginning of its client app id
        #[arg(short, long)]
        app: Option<String>,
    },
    /// Allow these origins and no other
    Set(set::Options),
    /// Allow more origins
    Add(Origins),
    /// Allow origins no longer
    Remove(Origins),
    /// Allow the origins of an App Services configuration file and no other
    Import(import::Options),
}

/// Whose origins, and which.
#[derive(Args, Debug)]
pub(super) struct Origins {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// An origin, such as https://app.example.com; or the word null
    #[arg(required = true, value_name = "ORIGIN")]
    origins: Vec<Origin>,

    #[command(flatten)]
    reason: super::terms::Reason,
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Set(_) => "set",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Import(_) => "import",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::List { app } => print(invocation, &invocation.app(app.as_deref(), "--app").await?),
        Task::Set(options) => set::run(invocation, options).await,
        Task::Add(origins) => edit::add(invocation, origins).await,
        Task::Remove(origins) => edit::remove(invocation, origins).await,
        Task::Import(options) => import::run(invocation, options).await,
    }
}

/// Says what became of a change.
fn show(invocation: &Invocation, saved: &Saved) -> Result<(), Failure> {
    if !invocation.json {
        output::line("Successfully updated allowed request origins")?;
    }
    print(invocation, &saved.parse()?)?;
    if !invocation.json {
        saved.tell_closed()?;
    }
    saved.in_force()
}

fn print(invocation: &Invocation, app: &App) -> Result<(), Failure> {
    let App { origins, require_origin, .. } = app;
    if invocation.json {
        return output::json(&json!({ "origins": origins, "require_origin": require_origin }));
    }
    if origins.is_empty() {
        output::line("No allowed request origins: pages of every origin may call the app")?;
    } else {
        output::line(&format!("Found {} allowed request origin(s)", origins.len()))?;
        let mut table = Columns::new(["Origin"]);
        origins.iter().for_each(|origin| table.row([origin]));
        table.print()?;
    }
    output::line(match require_origin {
        true => "A request without an origin is refused if it is an upgrade or its method unsafe",
        false => "A request without an origin passes",
    })
}

/// Has it confirmed that an app is opened to pages of every origin.
fn confirm_every_origin(invocation: &Invocation, app: &App) -> Result<(), Failure> {
    let id = &app.client_app_id;
    invocation.confirm(&format!(
        "Without any origin on its list, pages of every origin may call {id}: go on?"
    ))
}

/// Each origin once, as it was typed first.
fn distinct(origins: &[Origin]) -> Vec<&str> {
    let mut distinct: Vec<&Origin> = Vec::new();
    for origin in origins {
        if !distinct.iter().any(|listed| listed.canonical() == origin.canonical()) {
            distinct.push(origin);
        }
    }
    distinct.into_iter().map(Origin::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_origins_are_sent_once() {
        let origins = ["https://A.example", "null", "https://a.example:443", "http://a.example"];
        let origins = origins.map(|text| Origin::parse(text).expect(text));
        assert_eq!(distinct(&origins), ["https://A.example", "null", "http://a.example"]);
    }
}
