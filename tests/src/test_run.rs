//! BPF_PROG_TEST_RUN: a frame through the real program, without a device.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use crate::kernel::{bpf, open_pin};

// include/uapi/linux/bpf.h
const BPF_PROG_TEST_RUN: i64 = 10;
const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;

/// What the program answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// XDP_DROP.
    Drop,
    /// XDP_PASS.
    Pass,
    /// Anything else: a fault.
    Other(u32),
}

/// A program, by its pin.
#[derive(Debug)]
pub struct PinnedProgram {
    program: OwnedFd,
}

#[repr(C)]
#[derive(Default)]
struct TestRunAttributes {
    prog_fd: u32,
    retval: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    ctx_size_in: u32,
    ctx_size_out: u32,
    ctx_in: u64,
    ctx_out: u64,
    flags: u32,
    cpu: u32,
    batch_size: u32,
    padding: u32,
}

#[repr(C)]
#[derive(Default)]
struct Context {
    data: u32,
    data_end: u32,
    data_meta: u32,
    ingress_ifindex: u32,
    rx_queue_index: u32,
    egress_ifindex: u32,
}

impl PinnedProgram {
    /// Opens a pin.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { program: open_pin(path)? })
    }

    /// Runs the program once over a frame of at least 14 bytes, coming in by
    /// the `lo` of the calling thread's namespace. The linear part holds the
    /// first `linear_bytes` of the frame, or all of it.
    pub fn run(&self, frame: &[u8], linear_bytes: Option<usize>) -> io::Result<Action> {
        let linear = linear_bytes.unwrap_or(frame.len()).min(frame.len());
        let context =
            Context { data_end: u32::try_from(linear).expect("short"), ..Context::default() };
        let mut attributes = TestRunAttributes {
            prog_fd: self.program.as_raw_fd().unsigned_abs(),
            data_size_in: u32::try_from(frame.len()).expect("short"),
            data_in: frame.as_ptr() as u64,
            repeat: 1,
            ..TestRunAttributes::default()
        };
        if linear_bytes.is_some() {
            attributes.ctx_size_in = u32::try_from(size_of::<Context>()).expect("short");
            attributes.ctx_in = std::ptr::from_ref(&context) as u64;
        }
        bpf(BPF_PROG_TEST_RUN, &mut attributes)?;
        Ok(match attributes.retval {
            XDP_DROP => Action::Drop,
            XDP_PASS => Action::Pass,
            other => Action::Other(other),
        })
    }
}
