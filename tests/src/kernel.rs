//! The raw `bpf(2)` call, and what is opened by its pin.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

// include/uapi/linux/bpf.h
const BPF_MAP_UPDATE_ELEM: i64 = 2;
const BPF_OBJ_GET: i64 = 7;

#[repr(C)]
#[derive(Default)]
struct ObjectAttributes {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct ElementAttributes {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// Makes one call; the attributes are those of the command.
pub(crate) fn bpf<T>(command: i64, attributes: &mut T) -> io::Result<i64> {
    // SAFETY: the attributes are a live `repr(C)` struct of the size given, in
    // the layout of the command, and hold pointers to live memory alone.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Opens a pinned object.
pub(crate) fn open_pin(pin: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(pin.as_os_str().as_bytes())?;
    let mut attributes =
        ObjectAttributes { pathname: path.as_ptr() as u64, ..ObjectAttributes::default() };
    owned(bpf(BPF_OBJ_GET, &mut attributes)?)
}

/// Takes what a call answered as a descriptor.
pub(crate) fn owned(descriptor: i64) -> io::Result<OwnedFd> {
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: the kernel has just answered this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Writes element 0 of a pinned array of words.
pub(crate) fn write_word(pin: &Path, value: u32) -> io::Result<()> {
    let map = open_pin(pin)?;
    let key = 0_u32;
    let mut attributes = ElementAttributes {
        map_fd: map.as_raw_fd().unsigned_abs(),
        key: std::ptr::from_ref(&key) as u64,
        value: std::ptr::from_ref(&value) as u64,
        ..ElementAttributes::default()
    };
    bpf(BPF_MAP_UPDATE_ELEM, &mut attributes).map(drop)
}
