//! `filterctl key`: API keys, by which programs use the Admin API.

mod access_list;
mod answers;
mod create;
mod list;

use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::failure::Failure;
use super::invocation::Invocation;
use super::output;
use answers::Key;

const PATH: &str = "/api/filter/v1/keys";

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Make an API key; its private half is printed this once
    Create(create::Options),
    /// List the API keys, with how often and when they were used
    #[command(visible_alias = "ls")]
    List,
    /// Switch an API key off, and log out whoever uses it
    Disable {
        /// The key: its public half or its id
        key: String,
    },
    /// Switch an API key on again
    Enable {
        /// The key: its public half or its id
        key: String,
    },
    /// Delete an API key, and log out whoever uses it
    Delete {
        /// The key: its public half or its id
        key: String,
    },
    /// From where an API key can be used: from anywhere if the list is empty
    #[command(name = "accesslist", visible_aliases = ["accessList", "access-list"])]
    AccessList {
        /// What to do.
        #[command(subcommand)]
        task: access_list::Task,
    },
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Create(_) => "create".to_owned(),
            Self::List => "list".to_owned(),
            Self::Disable { .. } => "disable".to_owned(),
            Self::Enable { .. } => "enable".to_owned(),
            Self::Delete { .. } => "delete".to_owned(),
            Self::AccessList { task } => format!("accesslist {}", task.title()),
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::Create(options) => create::run(invocation, options).await,
        Task::List => list::run(invocation).await,
        Task::Disable { key } => enable(invocation, key, false).await,
        Task::Enable { key } => enable(invocation, key, true).await,
        Task::Delete { key } => delete(invocation, key).await,
        Task::AccessList { task } => access_list::run(invocation, task).await,
    }
}

impl Invocation {
    /// All API keys, oldest first.
    async fn keys(&self) -> Result<Vec<Key>, Failure> {
        self.client.read(PATH).await
    }

    /// The API key that is meant.
    async fn key(&self, wanted: &str) -> Result<Key, Failure> {
        let found = self.keys().await?.into_iter().find(|key| key.is_called(wanted));
        found.ok_or_else(|| {
            Failure::new(format!("failed to find API key '{wanted}'"))
                .with_code("APIKeyNotFound")
                .with_advice("`filterctl key list` shows all.")
        })
    }
}

impl Key {
    fn path(&self) -> String {
        format!("{PATH}/{}", self.id)
    }
}

async fn enable(invocation: &Invocation, wanted: &str, enabled: bool) -> Result<(), Failure> {
    let key = invocation.key(wanted).await?;
    let body = json!({ "enabled": enabled });
    let saved = invocation.change(Method::PATCH, &key.path(), Some(&body)).await?;
    let key: Key = saved.parse()?;
    if invocation.json {
        return output::json(&key);
    }
    let word = if enabled { "enabled" } else { "disabled" };
    output::line(&format!("Successfully {word} API key {}", key.public_key))
}

async fn delete(invocation: &Invocation, wanted: &str) -> Result<(), Failure> {
    let key = invocation.key(wanted).await?;
    let description = output::harmless(&key.description);
    invocation.confirm(&format!("Delete the API key {} ({description})?", key.public_key))?;
    invocation.change(Method::DELETE, &key.path(), None::<&()>).await?;
    if invocation.json {
        return output::json(&json!({ "deleted": key }));
    }
    output::line(&format!("Successfully deleted API key {}", key.public_key))
}
