//! The daemon.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// It gives back to the system what connections of the proxy leave behind
/// between others that stay, which the C library's does not.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How it is set up (jemalloc(3), "TUNING"): what has been free for a second
/// goes back. A thread keeps as many buffers at hand as its connections take
/// and leave in turn.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8; 64] =
    b"dirty_decay_ms:1000,muzzy_decay_ms:0,tcache_nslots_small_min:64\0";

fn main() -> ExitCode {
    filter_daemon::daemon::main()
}
