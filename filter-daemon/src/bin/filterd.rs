//! The daemon.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// It gives back to the system what connections of the proxy leave behind
/// between others that stay, which the C library's does not.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How it is set up (jemalloc(3), "TUNING"): what has been free for a second
/// goes back.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8; 37] = b"dirty_decay_ms:1000,muzzy_decay_ms:0\0";

fn main() -> ExitCode {
    filter_daemon::daemon::main()
}
