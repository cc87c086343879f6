//! `filterctl outbound list`.

use clap::Args;

use crate::cli::answers::Outbound;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};

/// Which ones.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// Only those with this label
    #[arg(long)]
    label: Option<String>,
}

/// Lists them.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let all: Vec<Outbound> = invocation.client.read("/api/filter/v1/outbound").await?;
    let labels: Vec<String> = all.iter().map(|outbound| outbound.label.clone()).collect();
    let is_meant =
        |outbound: &Outbound| options.label.as_ref().is_none_or(|label| *label == outbound.label);
    let found: Vec<Outbound> = all.into_iter().filter(is_meant).collect();
    if let (Some(label), []) = (&options.label, &found[..]) {
        return Err(unknown(label, &labels));
    }
    if invocation.json {
        return output::json(&found);
    }
    if found.is_empty() {
        return output::line(
            "No outbound addresses to show: list them in filterd.toml, under [[outbound]]",
        );
    }
    let mut table = Columns::new(["Label", "IP Address"]);
    for outbound in &found {
        for address in &outbound.addresses {
            table.row([&outbound.label, address]);
        }
    }
    table.print()
}

fn unknown(label: &str, labels: &[String]) -> Failure {
    let failure = Failure::new(format!("no outbound addresses have the label '{label}'"))
        .with_code("OutboundNotFound");
    match labels {
        [] => failure.with_advice("filterd.toml names none: list some under [[outbound]]."),
        labels => failure.with_advice(format!("There are: {}", labels.join(", "))),
    }
}
