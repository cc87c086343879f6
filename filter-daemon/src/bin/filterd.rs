//! The daemon.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// It gives back what connections of the proxy leave behind, and answers a
/// tenth more requests than glibc's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    filter_daemon::daemon::main()
}
