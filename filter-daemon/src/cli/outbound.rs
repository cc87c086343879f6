//! `filterctl outbound`: the addresses that the proxy tier sends from.

mod export;
mod list;

use clap::Subcommand;

use super::failure::Failure;
use super::invocation::Invocation;

/// What can be done with outbound addresses; filterd.toml says which they are.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List them
    #[command(visible_alias = "ls")]
    List(list::Options),
    /// Write them to a file, or print them, for the people who have to let
    /// them in
    Export(export::Options),
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Export(_) => "export",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::List(options) => list::run(invocation, options).await,
        Task::Export(options) => export::run(invocation, options).await,
    }
}
