//! `filterctl key accesslist`: from where an API key can be used.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::json;

use super::answers::{Key, Source};
use crate::access_list::Address;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

/// What can be done with a key's access list.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Task {
    /// List the entries, with how often and when they let somebody in
    #[command(visible_alias = "ls")]
    List {
        /// The key: its public half or its id
        key: String,
    },
    /// Add an IP address or CIDR block
    Create(NewSource),
    /// Take an entry off the list
    Delete {
        /// The key: its public half or its id
        key: String,
        /// The entry's address
        #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
        ip: Address,
    },
}

/// An entry to be.
#[derive(Args, Debug)]
pub(in crate::cli) struct NewSource {
    /// The key: its public half or its id
    key: String,

    /// The IP address or CIDR block
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    ip: Address,

    /// What the entry is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    comment: String,
}

impl Task {
    /// Its name.
    pub(in crate::cli) fn title(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Create(_) => "create",
            Self::Delete { .. } => "delete",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::List { key } => list(invocation, &invocation.key(key).await?),
        Task::Create(new) => create(invocation, new).await,
        Task::Delete { key, ip } => delete(invocation, &invocation.key(key).await?, ip).await,
    }
}

fn list(invocation: &Invocation, key: &Key) -> Result<(), Failure> {
    if invocation.json {
        return output::json(&key.access_list);
    }
    if key.access_list.is_empty() {
        return output::line(&format!("{} can be used from anywhere", key.public_key));
    }
    let mut table = Columns::new(["IP Address", "Requests", "Last used", "Last from", "Comment"]);
    for source in &key.access_list {
        let [requests, last, from] = source.seen.cells();
        table.row([&source.address, &requests, &last, &from, &source.comment]);
    }
    table.print()
}

async fn create(invocation: &Invocation, new: &NewSource) -> Result<(), Failure> {
    let key = invocation.key(&new.key).await?;
    let body = json!({ "address": new.ip.text(), "comment": new.comment });
    let path = format!("{}/access_list", key.path());
    let saved = invocation.change(Method::POST, &path, Some(&body)).await?;
    let source: Source = saved.parse()?;
    match invocation.json {
        true => output::json(&source),
        false => {
            output::line(&format!("Successfully created access list entry, id: {}", source.id))
        }
    }
}

/// The last entry that goes opens the key to everybody who has it.
async fn delete(invocation: &Invocation, key: &Key, ip: &Address) -> Result<(), Failure> {
    let is_meant = |source: &&Source| {
        Address::parse(&source.address).is_ok_and(|listed| listed.prefix() == ip.prefix())
    };
    let Some(source) = key.access_list.iter().find(is_meant) else {
        let (ip, key) = (ip.text(), &key.public_key);
        let why = format!("unable to find {ip} on the access list of API key {key}");
        return Err(Failure::new(why).with_code("AllowedIPNotFound"));
    };
    if key.access_list.len() == 1 {
        invocation.confirm(&format!(
            "{} is the last entry: {} can be used from anywhere without it. Delete it?",
            source.address, key.public_key,
        ))?;
    }
    let path = format!("{}/access_list/{}", key.path(), source.id);
    invocation.change(Method::DELETE, &path, None::<&()>).await?;
    match invocation.json {
        true => output::json(&json!({ "deleted": source })),
        false => {
            output::line(&format!("Successfully deleted access list entry {}", source.address))
        }
    }
}
