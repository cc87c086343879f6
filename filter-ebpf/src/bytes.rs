//! Reading headers out of a frame, wherever the driver put them.

use core::hint::black_box;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::bpf_xdp_load_bytes;
use aya_ebpf::programs::XdpContext;
use filter_common::address::Address;

/// No header is looked for behind this offset: the verifier wants a bound, and
/// no chain of extension headers that we follow is longer.
const FARTHEST: u32 = 0x7fff;

/// The linear part of a frame, or of what is left of it.
#[derive(Clone, Copy)]
pub(crate) struct Linear {
    start: usize,
    end: usize,
}

impl Linear {
    #[inline(always)]
    pub(crate) fn behind(ctx: &XdpContext, offset: u32) -> Self {
        // Opaque to the optimiser: the pointer that is checked is the one that
        // is read, or the verifier cannot follow.
        Self { start: black_box(ctx.data() + offset as usize), end: ctx.data_end() }
    }

    /// Reads a header, or nothing when it does not lie there.
    #[inline(always)]
    pub(crate) fn read<T: Header>(self, offset: usize) -> Option<T> {
        if self.start + offset + size_of::<T>() > self.end {
            return None;
        }
        // SAFETY: the whole of T lies before the end, T is valid for any bytes,
        // and its alignment is at most 2 (see `Header`). Frames begin at even
        // addresses (NET_IP_ALIGN; the verifier counts on it as well), and all
        // headers have an even length.
        Some(unsafe { ((self.start + offset) as *const T).read() })
    }

    /// Its length in bytes.
    #[inline(always)]
    pub(crate) fn bytes(self) -> usize {
        self.end - self.start
    }
}

/// Reads a header that nearly every packet has, or nothing when the frame ends
/// before it does. The part that is in reach is read in place; a header in a
/// later buffer of a frame, or behind a short linear part, is copied.
#[inline(always)]
pub(crate) fn read<T: Header>(ctx: &XdpContext, offset: u32) -> Option<T> {
    if offset > FARTHEST {
        return None;
    }
    match Linear::behind(ctx, offset).read(0) {
        Some(header) => Some(header),
        None => load(ctx, offset),
    }
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

/// Copies words of the frame to where they belong; whether they were all there.
#[inline(always)]
pub(crate) fn load_into(ctx: &XdpContext, offset: u32, words: &mut [u32]) -> bool {
    // SAFETY: the buffer has the length that the helper is told.
    unsafe {
        bpf_xdp_load_bytes(ctx.ctx, offset, words.as_mut_ptr().cast(), size_of_val(words) as u32)
            == 0
    }
}

/// The first byte of an address.
#[inline(always)]
pub(crate) fn first_octet(address: &Address) -> u8 {
    address[0].to_ne_bytes()[0]
}

/// A word of which the wire carries these halves.
#[inline(always)]
pub(crate) fn word(first: u16, second: u16) -> u32 {
    if cfg!(target_endian = "little") {
        u32::from(first) | u32::from(second) << 16
    } else {
        u32::from(first) << 16 | u32::from(second)
    }
}

/// A type that any bytes are a valid value of.
///
/// # Safety
///
/// The type must have no padding, no invalid bit patterns, and an alignment of
/// at most 2.
pub(crate) unsafe trait Header: Copy {}

// SAFETY: arrays of bytes are valid for any bytes.
unsafe impl<const N: usize> Header for [u8; N] {}
// SAFETY: arrays of two-byte words are valid for any bytes.
unsafe impl<const N: usize> Header for [u16; N] {}
// SAFETY: 14 bytes of addresses and a type, no padding, packed.
unsafe impl Header for network_types::eth::EthHdr {}
