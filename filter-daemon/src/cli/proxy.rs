//! `filterctl proxy`: what the proxy does for an app, and what it counted.

mod counters;
mod set;
mod show;

use clap::Subcommand;

use super::failure::Failure;
use super::invocation::Invocation;

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Show an app's proxy settings
    Show {
        /// The app: its id, its name, or the beginning of its client app id
        app: Option<String>,
    },
    /// Change an app's proxy settings; what is not named stays
    Set(Box<set::Options>),
    /// Show what the proxy counted, by app and reason
    Counters,
}

impl Task {
    /// What a failure is said to be a failure of.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Show { .. } => "show",
            Self::Set(_) => "set",
            Self::Counters => "counters",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::Show { app } => show::run(invocation, app.as_deref()).await,
        Task::Set(options) => set::run(invocation, options).await,
        Task::Counters => counters::run(invocation).await,
    }
}
