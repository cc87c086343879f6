//! `filterctl key create`.

use clap::Args;
use hyper::Method;
use serde_json::json;

use super::PATH;
use super::answers::Key;
use crate::access_list::Address;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output;

/// What the key is for.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// What the key is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,

    /// An IP address or CIDR block that it can be used from; repeat or separate
    /// by commas. From anywhere without it
    #[arg(long = "ip", value_name = "ADDRESS", value_parser = Address::parse, value_delimiter = ',')]
    ips: Vec<Address>,
}

/// Makes it, and prints both halves.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let address = |address: &Address| json!({ "address": address.text() });
    let body = json!({
        "description": options.description,
        "access_list": options.ips.iter().map(address).collect::<Vec<_>>(),
    });
    let saved = invocation.change(Method::POST, PATH, Some(&body)).await?;
    let key: Key = saved.parse()?;
    if invocation.json {
        return output::json(&key);
    }
    output::line(&format!("Successfully created API key, id: {}", key.id))?;
    output::line(&format!("Public key:   {}", key.public_key))?;
    output::line(&format!("Private key:  {}", key.private_key.as_deref().unwrap_or_default()))?;
    output::remark("The private key is shown this once: filterd keeps only its hash.");
    Ok(())
}
