//! The programs of `cargo xtask bench`. Not part of the shipped object.
//!
//! Owns the giving of a source of its own to every frame: sources are drawn by
//! user space, and taken one after the other here, so that drawing costs the
//! same whatever is measured. What is measured is tail-called, or sits behind
//! the device that frames are sent to.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]

use core::hint::black_box;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP};
use aya_ebpf::helpers::generated::bpf_redirect;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, ProgramArray};
use aya_ebpf::programs::XdpContext;

/// How many sources are drawn for a family; powers of two. They take 1 MiB, as
/// reading them takes room in the cache from what is measured.
const DRAWS4_HELD: u32 = 1 << 18;
const DRAWS6_HELD: u32 = 1 << 16;

const VERSION: usize = 14;
const SOURCE_V4: usize = 26;
const CHECKSUM_V4: usize = 24;
const SOURCE_V6: usize = 22;

/// IPv4 sources in network order.
#[map]
static DRAWS4: Array<[u16; 2]> = Array::with_max_entries(DRAWS4_HELD, 0);

/// IPv6 sources in network order.
#[map]
static DRAWS6: Array<[u16; 8]> = Array::with_max_entries(DRAWS6_HELD, 0);

/// The source that is next.
#[map]
static CURSOR: Array<u32> = Array::with_max_entries(1, 0);

/// The interface that frames are sent to.
#[map]
static WIRE: Array<u32> = Array::with_max_entries(1, 0);

/// The program that frames are given to.
#[map]
static UNDER_TEST: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// The floor: drops without a look.
#[xdp(frags)]
fn floor(_ctx: XdpContext) -> u32 {
    XDP_DROP
}

/// Gives the frame the next source, and then to the program under test.
#[xdp(frags)]
fn feeder(ctx: XdpContext) -> u32 {
    if give_source(&ctx).is_some() {
        // SAFETY: a call that fails comes back here.
        unsafe { UNDER_TEST.tail_call(&ctx, 0) };
    }
    XDP_ABORTED
}

/// Gives the frame the next source, and sends it.
#[expect(clippy::cast_possible_truncation, reason = "the helper answers an XDP action")]
#[xdp]
fn generator(ctx: XdpContext) -> u32 {
    match (give_source(&ctx), WIRE.get(0)) {
        // SAFETY: the helper takes numbers alone.
        (Some(()), Some(wire)) => (unsafe { bpf_redirect(*wire, 0) }) as u32,
        _ => XDP_ABORTED,
    }
}

#[inline(always)]
fn give_source(ctx: &XdpContext) -> Option<()> {
    let cursor = CURSOR.get_ptr_mut(0)?;
    // SAFETY: the cell is live and aligned, and one CPU alone runs this.
    let next = unsafe { *cursor };
    // SAFETY: as above.
    unsafe { *cursor = next.wrapping_add(1) };
    if version(ctx)? != 4 {
        return write(ctx, SOURCE_V6, *DRAWS6.get(next & (DRAWS6_HELD - 1))?);
    }
    let [first, second] = *DRAWS4.get(next & (DRAWS4_HELD - 1))?;
    let [checksum, old_first, old_second] = read(ctx, CHECKSUM_V4)?;
    write(ctx, SOURCE_V4, [first, second])?;
    let words = [!checksum, !old_first, !old_second, first, second];
    write(ctx, CHECKSUM_V4, [!folded(words.into_iter().map(u32::from).sum())])
}

/// A sum of words in the arithmetic of RFC 1071; changed words are taken out and
/// put in as RFC 1624 says.
#[inline(always)]
fn folded(sum: u32) -> u16 {
    let once = (sum >> 16) + (sum & 0xffff);
    ((once >> 16) + once) as u16
}

/// The version of the frame's IP header.
#[inline(always)]
fn version(ctx: &XdpContext) -> Option<u8> {
    let start = black_box(ctx.data() + VERSION);
    if start + 1 > ctx.data_end() {
        return None;
    }
    // SAFETY: it lies before data_end.
    Some(unsafe { *(start as *const u8) } >> 4)
}

/// Reads words at an even offset, or nothing when the frame ends before.
#[inline(always)]
fn read<const N: usize>(ctx: &XdpContext, offset: usize) -> Option<[u16; N]> {
    let start = black_box(ctx.data() + offset);
    if start + size_of::<[u16; N]>() > ctx.data_end() {
        return None;
    }
    // SAFETY: all of it lies before data_end; frames start at even addresses
    // and the offsets are even.
    Some(unsafe { *(start as *const [u16; N]) })
}

/// Writes words at an even offset, or nothing when the frame ends before.
#[inline(always)]
fn write<const N: usize>(ctx: &XdpContext, offset: usize, words: [u16; N]) -> Option<()> {
    // Opaque to the optimiser: the pointer that is checked is the one that is
    // written, or the verifier cannot follow.
    let start = black_box(ctx.data() + offset);
    if start + size_of::<[u16; N]>() > ctx.data_end() {
        return None;
    }
    // SAFETY: all of it lies before data_end; frames start at even addresses
    // and the offsets are even.
    unsafe { *(start as *mut [u16; N]) = words };
    Some(())
}

/// On a host this crate is compiled for its lints alone.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // No path panics; the verifier refuses this loop if one ever appears.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";
