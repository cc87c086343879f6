//! `filterctl`: the command line of filterd.
//!
//! Nothing but the entry point; everything is in `filter_daemon::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    filter_daemon::cli::main()
}
