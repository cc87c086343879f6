//! `filterctl app`: protected services.

mod create;
mod delete;
mod show;
mod update;

use clap::Subcommand;

pub(super) use show::scopes;

use super::failure::Failure;
use super::invocation::Invocation;

/// What can be done with apps.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Make an app with its access list
    Create(create::Options),
    /// List the apps
    #[command(visible_alias = "ls")]
    List,
    /// Show one app
    Show {
        /// The app: its id, its name, or the beginning of its client app id
        app: Option<String>,
    },
    /// Change an app; what is not given stays
    Update(update::Options),
    /// Remove an app with its access list: its packets pass to other apps'
    /// scopes, or are no longer filtered
    Delete {
        /// The app: its id, its name, or the beginning of its client app id
        app: Option<String>,
    },
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::List => "list",
            Self::Show { .. } => "show",
            Self::Update(_) => "update",
            Self::Delete { .. } => "delete",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::Create(options) => create::run(invocation, options).await,
        Task::List => show::list(invocation).await,
        Task::Show { app } => show::run(invocation, app.as_deref()).await,
        Task::Update(options) => update::run(invocation, options).await,
        Task::Delete { app } => delete::run(invocation, app.as_deref()).await,
    }
}
