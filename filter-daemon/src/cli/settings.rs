//! `filterctl settings`: what holds for the whole host.

use clap::{Args, Subcommand, ValueEnum};
use hyper::Method;
use serde::Serialize;

use super::answers::Settings;
use super::failure::Failure;
use super::invocation::Invocation;
use super::{output, status};

const PATH: &str = "/api/filter/v1/settings";

/// What can be done with the settings.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Show the settings
    Show,
    /// Change the settings; what is not given stays
    Set(Change),
}

/// What the settings shall be.
#[derive(Args, Debug)]
pub(super) struct Change {
    /// Whether answers of DHCP servers to this host pass before any list
    #[arg(long, value_name = "on|off")]
    dhcp: Option<OnOff>,

    /// What happens to frames that are neither IP nor ARP
    #[arg(long, value_name = "pass|drop")]
    non_ip: Option<PassDrop>,
}

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnOff {
    /// It holds.
    On,
    /// It does not hold.
    Off,
}

/// What happens to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum PassDrop {
    /// It passes.
    Pass,
    /// It is dropped.
    Drop,
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    dhcp: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    non_ip: Option<PassDrop>,
}

impl Task {
    /// Its name.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Show => "show",
            Self::Set(_) => "set",
        }
    }
}

/// Does it.
pub(super) async fn run(invocation: &Invocation, task: &Task) -> Result<(), Failure> {
    match task {
        Task::Show => print(invocation, &invocation.client.read(PATH).await?),
        Task::Set(change) => set(invocation, change).await,
    }
}

async fn set(invocation: &Invocation, change: &Change) -> Result<(), Failure> {
    if change.dhcp.is_none() && change.non_ip.is_none() {
        return Err(Failure::usage("must set --dhcp or --non-ip"));
    }
    let body = Body { dhcp: change.dhcp.map(|dhcp| dhcp == OnOff::On), non_ip: change.non_ip };
    let saved = invocation.change(Method::PATCH, PATH, Some(&body)).await?;
    print(invocation, &saved.parse()?)?;
    saved.in_force()
}

fn print(invocation: &Invocation, settings: &Settings) -> Result<(), Failure> {
    match invocation.json {
        true => output::json(settings),
        false => output::line(&status::describe_settings(settings)),
    }
}
