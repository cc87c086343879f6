//! What a pinned link is, as the kernel says.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::kernel::{bpf, open_pin};

// include/uapi/linux/bpf.h
const BPF_OBJ_GET_INFO_BY_FD: i64 = 15;

/// A link of an XDP program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFacts {
    /// The link's id: the same as long as it is never detached.
    pub id: u32,
    /// The id of the program behind it.
    pub program_id: u32,
    /// The interface that it sits on; 0 when that is gone.
    pub ifindex: u32,
}

#[repr(C)]
#[derive(Default)]
struct InfoAttributes {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// The kernel's `bpf_link_info` as far as XDP goes.
#[repr(C)]
#[derive(Default)]
struct LinkInfo {
    kind: u32,
    id: u32,
    program_id: u32,
    padding: u32,
    ifindex: u32,
    rest: [u32; 27],
}

impl LinkFacts {
    /// Reads a pin.
    pub fn read(pin: &Path) -> io::Result<Self> {
        let link = open_pin(pin)?;
        let mut info = LinkInfo::default();
        let mut request = InfoAttributes {
            bpf_fd: link.as_raw_fd().unsigned_abs(),
            info_len: u32::try_from(size_of::<LinkInfo>()).expect("short"),
            info: std::ptr::from_mut(&mut info) as u64,
        };
        bpf(BPF_OBJ_GET_INFO_BY_FD, &mut request)?;
        Ok(Self { id: info.id, program_id: info.program_id, ifindex: info.ifindex })
    }
}
