//! `cargo xtask`: the project's own chores.
//!
//! Owns what is typed to set a machine up, build, install, show, test and
//! check the project. Nothing of the product is in here, and the product's
//! crates are not built into it: it must run before they can be built.

mod bench;
mod demo;
mod gate;
mod install;
mod object;
mod process;
mod section;
mod setup;
mod tidy;
mod unit;
mod workspace;

// The build script of the daemon and `build-ebpf` build the object with the
// same code.
#[path = "../../filter-daemon/build/object.rs"]
mod bpf_object;
#[path = "../../filter-daemon/build/route.rs"]
mod route;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the filterd project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what is missing on this machine to build and test the project
    Setup,
    /// Build the BPF object alone, and say what it is
    BuildEbpf,
    /// Build the release and put it in place
    Install(install::Options),
    /// Show in network namespaces who gets through the real filterd, and who does not
    Demo(demo::Options),
    /// Run every test
    Test {
        /// Arguments for `cargo test`
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measure how fast packet path and proxy are, beside others
    Bench(bench::Options),
    /// Check formatting, and run clippy over everything
    Lint,
    /// Check the rules of the house that clippy does not know
    Tidy {
        /// Write what can be generated instead of complaining
        #[arg(long)]
        fix: bool,
    },
    /// Everything: lint, test, demo
    Ci,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    match task {
        Task::Setup => setup::run(setup::Purpose::Test)?,
        Task::BuildEbpf => object::build()?,
        Task::Install(options) => install::run(&options)?,
        Task::Demo(options) => return demo::run(&options),
        Task::Test { arguments } => gate::test(&arguments)?,
        Task::Bench(options) => bench::run(&options)?,
        Task::Lint => gate::lint()?,
        Task::Tidy { fix } => tidy::run(fix)?,
        Task::Ci => return gate::ci(),
    }
    Ok(ExitCode::SUCCESS)
}
