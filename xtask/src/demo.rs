//! `cargo xtask demo`: who gets through the real filterd, and who does not.
//!
//! Builds and installs the release below a folder of its own, makes networks
//! of its own, runs the installed daemon with the capabilities that its unit
//! leaves it, and talks to it only through `filterctl`. Whatever it made is
//! gone when it ends, also on Ctrl-C or a failure.

mod attempt;
mod filterd;
mod namespace;
mod network;
mod ping;
mod report;
mod scenario;
mod service;
mod undo;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{install, process, setup, workspace};
use filterd::Filterd;
use network::Network;
use report::Report;
use undo::Undo;

/// What to show.
#[derive(Args, Debug, Default)]
pub(crate) struct Options {
    /// Show the filterd installed below this folder instead of building one
    #[arg(long, value_name = "DIR")]
    installed: Option<PathBuf>,
}

/// Runs the demo; its exit code says whether everything went as expected.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::run(setup::Purpose::Demo)?;
    let installed = match &options.installed {
        Some(folder) => folder.canonicalize()?,
        None => {
            let folder = workspace::target().join("demo-root");
            install::below(&folder)?;
            folder.canonicalize()?
        }
    };
    if nix::unistd::geteuid().is_root() {
        return show(&installed);
    }
    let mut demo = process::as_root(std::env::current_exe()?)?;
    let status = demo.args(["demo", "--installed"]).arg(&installed).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(installed: &Path) -> Result<ExitCode> {
    let undo = Undo::new()?;
    let network = Network::new(installed)?;
    service::start(&network)?;
    heading("First without a filter: everybody gets through");
    let mut report = Report::without_filter(scenario::cases(&network))?;
    heading("filterd starts, with the capabilities of its unit alone");
    let filterd = Filterd::start(installed, &network.server, &undo)?;
    heading("Two apps: the host for one client, its port 9000 for the App Services list");
    for line in scenario::setting_up(installed) {
        filterd.show(&line)?;
    }
    heading("The same packets again, and what the filter says about them");
    report.with_filter()?;
    for line in ["status", "counters"] {
        filterd.show(&[line])?;
    }
    heading("Who got through");
    println!("{report}");
    Ok(report.verdict())
}

fn heading(text: &str) {
    println!("\n== {text}");
}
