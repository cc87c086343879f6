//! The daemon.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// It returns to the system what connections of the proxy leave behind, which
/// glibc's keeps.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    filter_daemon::daemon::main()
}
