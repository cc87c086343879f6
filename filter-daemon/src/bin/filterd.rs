//! The daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    filter_daemon::daemon::main()
}
