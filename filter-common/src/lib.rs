//! What the XDP program and the daemon must agree on, byte for byte.
//!
//! Owns the layout of every BPF map value, the closed vocabulary of reasons,
//! modes and verdicts, and the one function that turns a reason into a
//! verdict. Never does IO and never allocates; it is compiled for the BPF
//! target and for the host.
//!
//! Invariants: no padding bytes and no `bool` in any shared struct (sizes are
//! asserted beside each), addresses and ports that came off the wire stay in
//! network order, and a change of any layout raises [`ABI_VERSION`].

#![cfg_attr(not(feature = "user"), no_std)]

pub mod address;
pub mod counter;
pub mod event;
pub mod generation;
pub mod hit;
pub mod poptrie;
pub mod reason;
pub mod sieve;
pub mod stamp;
pub mod trie;
pub mod verdict;

/// Version of every layout in this crate; kernel state of another version is
/// never adopted.
pub const ABI_VERSION: u32 = 6;

/// Marks a shared struct as readable and writable through aya's maps.
#[cfg(feature = "user")]
macro_rules! pod {
    ($($name:ty),+ $(,)?) => {
        $(
            // SAFETY: the type is `repr(C)`, `Copy`, holds only integers and
            // arrays of them, and its size is asserted to have no padding.
            unsafe impl aya::Pod for $name {}
        )+
    };
}

#[cfg(not(feature = "user"))]
macro_rules! pod {
    ($($name:ty),+ $(,)?) => {};
}

pub(crate) use pod;
