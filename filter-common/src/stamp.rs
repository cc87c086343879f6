//! The mark by which a restarted daemon knows kernel state as its own.

use crate::pod;

/// Written last when a set of maps is complete.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stamp {
    /// [`STAMP_MAGIC`] once the maps hold a whole policy, else 0.
    pub magic: u64,
    /// [`crate::ABI_VERSION`] of the writer.
    pub abi: u32,
    /// Always zero.
    pub reserved: u32,
}

/// "filterd" in ASCII, and a one.
pub const STAMP_MAGIC: u64 = u64::from_be_bytes(*b"filterd1");

const _: () = assert!(size_of::<Stamp>() == 16);

pod!(Stamp);
