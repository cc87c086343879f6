//! `filterctl accesslist`: the addresses that an app lets in.
//!
//! Imitates the flags, questions and texts of realm-cli's `accessList`.

mod create;
mod delete;
mod end;
mod entry_choice;
mod export;
mod import;
mod list;
mod show;
mod update;

use clap::Subcommand;

use super::failure::Failure;
use super::invocation::Invocation;

/// What can be done with an access list.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the entries
    #[command(visible_alias = "ls")]
    List(list::Options),
    /// Show one entry, or what the list comes to
    Show(show::Options),
    /// Add an IP address or CIDR block
    Create(create::Options),
    /// Change an entry in its place
    Update(update::Options),
    /// Take entries off the list
    Delete(delete::Options),
    /// Add a file of addresses as one change
    Import(Box<import::Options>),
    /// Write the list to a file, or print it
    Export(export::Options),
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Show(_) => "show",
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Delete(_) => "delete",
            Self::Import(_) => "import",
            Self::Export(_) => "export",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::List(options) => list::run(invocation, options).await,
        Task::Show(options) => show::run(invocation, options).await,
        Task::Create(options) => create::run(invocation, options).await,
        Task::Update(options) => update::run(invocation, options).await,
        Task::Delete(options) => delete::run(invocation, options).await,
        Task::Import(options) => import::run(invocation, options).await,
        Task::Export(options) => export::run(invocation, options).await,
    }
}
