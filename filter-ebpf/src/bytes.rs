//! Reading headers out of a frame, wherever the driver put them.

use core::hint::black_box;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::bpf_xdp_load_bytes;
use aya_ebpf::programs::XdpContext;

/// No header is looked for behind this offset: the verifier wants a bound, and
/// no chain of extension headers that we follow is longer.
const FARTHEST: u32 = 0x7fff;

/// Reads a header that nearly every packet has, or nothing when the frame ends
/// before it does. The part that is in reach is read in place; a header in a
/// later buffer of a frame, or behind a short linear part, is copied.
#[inline(always)]
pub(crate) fn read<T: Header>(ctx: &XdpContext, offset: u32) -> Option<T> {
    if offset > FARTHEST {
        return None;
    }
    // Opaque to the optimiser: the pointer that is checked is the one that is
    // read, or the verifier cannot follow.
    let start = black_box(ctx.data() + offset as usize);
    if start + size_of::<T>() <= ctx.data_end() {
        // SAFETY: the whole of T lies before data_end, T is valid for any
        // bytes (see `Header`), and no alignment is assumed.
        return Some(unsafe { (start as *const T).read_unaligned() });
    }
    load(ctx, offset)
}

/// Copies a header that few packets have: one path for the verifier instead of
/// two.
#[inline(always)]
pub(crate) fn load<T: Header>(ctx: &XdpContext, offset: u32) -> Option<T> {
    let mut header = MaybeUninit::<T>::uninit();
    // SAFETY: the buffer has the length that the helper is told, and the
    // helper fills all of it or answers an error.
    unsafe {
        let failed =
            bpf_xdp_load_bytes(ctx.ctx, offset, header.as_mut_ptr().cast(), size_of::<T>() as u32)
                != 0;
        if failed { None } else { Some(header.assume_init()) }
    }
}

/// Copies bytes of the frame to where they belong; whether they were all there.
#[inline(always)]
pub(crate) fn load_into(ctx: &XdpContext, offset: u32, bytes: &mut [u8]) -> bool {
    // SAFETY: the buffer has the length that the helper is told.
    unsafe {
        bpf_xdp_load_bytes(ctx.ctx, offset, bytes.as_mut_ptr().cast(), bytes.len() as u32) == 0
    }
}

/// Four bytes of an address as one word, in whatever order the CPU has.
#[inline(always)]
pub(crate) fn word(bytes: &[u8; 16], i: usize) -> u32 {
    u32::from_ne_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]])
}

/// A type that any bytes are a valid value of.
///
/// # Safety
///
/// The type must have no padding and no invalid bit patterns.
pub(crate) unsafe trait Header: Copy {}

// SAFETY: arrays of bytes are valid for any bytes.
unsafe impl<const N: usize> Header for [u8; N] {}
// SAFETY: 14 bytes of addresses and a type, no padding.
unsafe impl Header for network_types::eth::EthHdr {}
// SAFETY: 20 single bytes and byte arrays.
unsafe impl Header for network_types::ip::Ipv4Hdr {}
// SAFETY: 40 single bytes and byte arrays.
unsafe impl Header for network_types::ip::Ipv6Hdr {}
