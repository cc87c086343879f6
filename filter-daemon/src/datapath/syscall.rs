//! The few `bpf(2)` calls that aya does not offer.

use std::ffi::CString;
use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

// include/uapi/linux/bpf.h
const BPF_MAP_DELETE_ELEM: i64 = 3;
const BPF_OBJ_PIN: i64 = 6;
const BPF_OBJ_GET: i64 = 7;
const BPF_PROG_GET_FD_BY_ID: i64 = 13;
const BPF_OBJ_GET_INFO_BY_FD: i64 = 15;
const BPF_MAP_UPDATE_BATCH: i64 = 26;
const BPF_MAP_DELETE_BATCH: i64 = 27;

#[repr(C)]
#[derive(Default)]
struct Element {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
#[derive(Default)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

#[repr(C)]
#[derive(Default)]
struct Object {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct Info {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// `bpf_link_info` as far as XDP goes.
#[repr(C)]
#[derive(Default)]
struct LinkInfo {
    kind: u32,
    id: u32,
    program_id: u32,
    padding: u32,
    ifindex: u32,
    rest: [u32; 11],
}

/// `bpf_prog_info` as far as its name.
#[repr(C)]
#[derive(Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: [u8; 8],
    jited_len: u32,
    xlated_len: u32,
    jited: u64,
    xlated: u64,
    load_time: u64,
    uid: u32,
    map_count: u32,
    map_ids: u64,
    name: [u8; 16],
}

fn bpf<T>(command: i64, attributes: &mut T) -> io::Result<i64> {
    // SAFETY: the attributes are a live `repr(C)` struct of the size given, in
    // the layout of the command, and hold pointers to live memory alone.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn address<T>(value: &T) -> u64 {
    std::ptr::from_ref(value) as u64
}

/// Inserts pairs, stopping at the first that fails; answers how many were
/// inserted, and why not more.
pub(super) fn update_batch<K, V>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> (usize, io::Result<()>) {
    let Ok(count) = u32::try_from(keys.len().min(values.len())) else {
        return (0, Err(io::ErrorKind::InvalidInput.into()));
    };
    let mut batch = Batch {
        keys: keys.as_ptr() as u64,
        values: values.as_ptr() as u64,
        count,
        map_fd: map.as_raw_fd().unsigned_abs(),
        ..Batch::default()
    };
    let result = bpf(BPF_MAP_UPDATE_BATCH, &mut batch).map(drop);
    // A call that is refused outright leaves the count as it was.
    let refused = matches!(&result, Err(e) if e.raw_os_error() == Some(libc::EINVAL));
    (if refused { 0 } else { batch.count as usize }, result)
}

/// Removes keys, stopping at the first that fails.
pub(super) fn delete_batch<K>(map: BorrowedFd<'_>, keys: &[K]) -> io::Result<()> {
    let mut batch = Batch {
        keys: keys.as_ptr() as u64,
        count: u32::try_from(keys.len()).map_err(io::Error::other)?,
        map_fd: map.as_raw_fd().unsigned_abs(),
        ..Batch::default()
    };
    bpf(BPF_MAP_DELETE_BATCH, &mut batch).map(drop)
}

/// Removes an element; answers whether it was there.
pub(super) fn delete_element(map: BorrowedFd<'_>, index: u32) -> io::Result<bool> {
    let mut element = Element {
        map_fd: map.as_raw_fd().unsigned_abs(),
        key: address(&index),
        ..Element::default()
    };
    match bpf(BPF_MAP_DELETE_ELEM, &mut element) {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens what is pinned at a path.
pub(super) fn open_pin(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut object = Object { pathname: path.as_ptr() as u64, ..Object::default() };
    owned(bpf(BPF_OBJ_GET, &mut object)?)
}

/// Pins an object; whoever holds it goes on holding it.
pub(super) fn pin(object: &OwnedFd, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let bpf_fd = object.as_raw_fd().unsigned_abs();
    let mut object = Object { pathname: path.as_ptr() as u64, bpf_fd, ..Object::default() };
    bpf(BPF_OBJ_PIN, &mut object).map(drop)
}

/// The interface that a link sits on; 0 when that interface is gone, or when
/// somebody forced the program off.
pub(super) fn link_ifindex(link: &OwnedFd) -> io::Result<u32> {
    let mut info = LinkInfo::default();
    read_info(link, &mut info)?;
    Ok(info.ifindex)
}

/// The name of a loaded program. Needs CAP_SYS_ADMIN, which filterctl run by
/// root has and the daemon has not.
pub fn program_name(id: u32) -> Option<String> {
    let mut attributes = [id, 0, 0];
    let program = owned(bpf(BPF_PROG_GET_FD_BY_ID, &mut attributes).ok()?).ok()?;
    let mut info = ProgramInfo::default();
    read_info(&program, &mut info).ok()?;
    let name = info.name.split(|byte| *byte == 0).next()?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

fn read_info<T>(object: &OwnedFd, info: &mut T) -> io::Result<()> {
    let mut request = Info {
        bpf_fd: object.as_raw_fd().unsigned_abs(),
        info_len: u32::try_from(size_of_val(info)).unwrap_or(0),
        info: address(info),
    };
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut request).map(drop)
}

fn owned(descriptor: i64) -> io::Result<OwnedFd> {
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: the kernel has just answered this descriptor, and nobody else
    // knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
