//! `filterctl`: the command line, a client of filterd's control socket.
//!
//! Owns the flags, the questions asked on a terminal, the texts and tables,
//! and the exit codes. Never changes state itself: every change is a call to
//! the daemon, with the one exception of `detach` when no daemon answers.
//!
//! Invariants: what a program reads is on stdout, everything else on stderr;
//! nothing is asked without a terminal; every failure says what failed, why,
//! and what to do.

mod access_list;
mod answers;
mod app;
mod app_choice;
mod apply;
mod arguments;
mod audit;
mod change;
mod client;
mod counters;
mod diff;
mod drops;
mod failure;
mod feed_file;
mod file_fault;
mod history;
mod interface;
mod invocation;
mod key;
mod moment;
mod names;
mod newest;
mod origins;
mod outbound;
mod output;
mod place;
mod proxy;
mod restore;
mod settings;
mod ssh;
mod status;
mod switch;
mod terminal;
mod terms;
mod written_file;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Task};
use failure::Failure;
use invocation::Invocation;

/// Reads the command line, does what it says, and answers how it went.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run_until_interrupted(&arguments));
            // Standard input may be waited for still.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::new(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&arguments.task.title(), arguments.json),
    }
}

/// The command line as clap knows it, for completions and manual pages.
pub fn command() -> clap::Command {
    Arguments::command()
}

async fn run_until_interrupted(arguments: &Arguments) -> Result<(), Failure> {
    tokio::select! {
        // Polled first, so that the handler is in place before a question is
        // asked: a question that is broken off then comes back as an error
        // and gives the cursor back.
        biased;
        _ = tokio::signal::ctrl_c(), if !arguments.task.ends_by_interrupt() => {
            Err(Failure::interrupted())
        }
        outcome = run(arguments) => outcome,
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Task::Completions { shell } = &arguments.task {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut command(), "filterctl", &mut script);
        return output::write(&script);
    }
    let invocation = Invocation::new(arguments);
    match &arguments.task {
        Task::Status => status::run(&invocation).await,
        Task::Interface { task } => interface::run(&invocation, task).await,
        Task::Settings { task } => settings::run(&invocation, task).await,
        Task::App { task } => app::run(&invocation, task).await,
        Task::AccessList { task } => access_list::run(&invocation, task).await,
        Task::History(options) => history::run(&invocation, options).await,
        Task::Diff(options) => diff::run(&invocation, options).await,
        Task::Restore(options) => restore::run(&invocation, options).await,
        Task::Audit(options) => audit::run(&invocation, options).await,
        Task::Names { task } => names::run(&invocation, task).await,
        Task::Proxy { task } => proxy::run(&invocation, task).await,
        Task::Origins { task } => origins::run(&invocation, task).await,
        Task::Apply(options) => apply::run(&invocation, options).await,
        Task::Outbound { task } => outbound::run(&invocation, task).await,
        Task::Key { task } => key::run(&invocation, task).await,
        Task::Drops(options) => drops::run(&invocation, options).await,
        Task::Counters(options) => counters::run(&invocation, options).await,
        Task::Detach => switch::detach(&invocation).await,
        Task::Attach => switch::attach(&invocation).await,
        Task::Completions { .. } => Ok(()),
    }
}
