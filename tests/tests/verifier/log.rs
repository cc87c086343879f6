//! What the verifier says of a load that goes well.
//!
//! aya asks for a log only after a refusal, and hands out none of a success.
//! It makes its calls through the C library's `syscall`, and this binary puts
//! a function of that name in front of it: the load stays the daemon's own,
//! with room for the verifier's statistics added to it.

use std::cell::RefCell;
use std::ffi::{c_long, c_void};

// include/uapi/linux/bpf.h, and include/linux/bpf_verifier.h for the level.
const BPF_PROG_LOAD: usize = 5;
const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_LOG_STATS: u32 = 4;

/// The statistics take a few hundred bytes.
const LOG_BYTES: u16 = 16 << 10;

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// How the attributes of BPF_PROG_LOAD begin.
#[repr(C)]
struct Attributes {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
}

type Syscall = unsafe extern "C" fn(c_long, ...) -> c_long;

/// What it said of the last XDP program that this thread loaded.
pub(crate) fn last() -> String {
    LAST.with_borrow(String::clone)
}

/// Stands in front of the C library's function of this name.
///
/// # Safety
///
/// As of the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    let log = match (number, a) {
        // SAFETY: the caller lends the attributes to the kernel, which reads
        // and writes them; nobody else does meanwhile.
        (libc::SYS_bpf, BPF_PROG_LOAD) => add_log(unsafe { &mut *(b as *mut Attributes) }),
        _ => None,
    };
    // SAFETY: the arguments are the caller's; the log, where one was added,
    // outlives the call.
    let result = unsafe { real()(number, a, b, c, d, e, f) };
    if let Some(log) = log {
        keep(&log);
    }
    result
}

/// Adds a log to the load of an XDP program that has none.
fn add_log(attributes: &mut Attributes) -> Option<Vec<u8>> {
    if attributes.prog_type != BPF_PROG_TYPE_XDP || attributes.log_level != 0 {
        return None;
    }
    let mut log = vec![0; LOG_BYTES.into()];
    attributes.log_level = BPF_LOG_STATS;
    attributes.log_size = LOG_BYTES.into();
    attributes.log_buf = log.as_mut_ptr() as u64;
    Some(log)
}

fn keep(log: &[u8]) {
    let text = log.split(|byte| *byte == 0).next().unwrap_or_default();
    LAST.set(String::from_utf8_lossy(text).into_owned());
}

fn real() -> Syscall {
    // SAFETY: the name ends with a zero.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"syscall".as_ptr()) };
    assert!(!found.is_null(), "the C library has a function `syscall`");
    // SAFETY: this is the type of the C library's function.
    unsafe { std::mem::transmute::<*mut c_void, Syscall>(found) }
}
