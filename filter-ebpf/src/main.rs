//! The XDP program: judges every packet by the generation in force.
//!
//! Owns the packet path of `packets.md`. Never writes policy: all it changes
//! is counters and the ring of sampled refusals.
//!
//! Invariants: the selector is read once a packet; every path ends in one
//! [`Reason`], one `decide`, one match to an XDP action; what cannot be read
//! is never passed because it cannot be read.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "sizes and offsets within one frame, which are far below 2^32"
)]

mod bytes;
mod exempt;
mod express;
mod extension;
mod fragment;
mod hit;
mod icmp_error;
mod ipv4;
mod ipv6;
mod judge;
mod link;
mod list;
mod maps;
mod martian;
mod packet;
mod reply;
mod report;
mod scan;
mod scope;
mod table;
mod transport;

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use filter_common::verdict::{Verdict, decide};

use crate::judge::judge;
use crate::packet::Packet;

/// Judges one frame.
#[xdp(frags)]
fn filterd(ctx: XdpContext) -> u32 {
    let generation = maps::generation();
    if let Some(generation) = generation
        && !report::logs_packets()
        && let Some(verdict) = express::judge(&ctx, generation)
    {
        return action(verdict);
    }
    maps::keep_user_maps();
    let Some(packet) = packet::room(0) else { return XDP_DROP };
    *packet = Packet::new(&ctx);
    if let Some(generation) = generation {
        judge(&ctx, generation, packet);
    }
    let verdict = decide(packet.finding.mode, packet.finding.reason);
    report::report(&ctx, packet, verdict);
    action(verdict)
}

#[inline(always)]
fn action(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Pass | Verdict::WouldDrop => XDP_PASS,
        Verdict::Drop => XDP_DROP,
    }
}

/// On a host this crate is compiled for its lints alone.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // The program has no path that panics; the verifier refuses this loop if
    // one ever appears.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";
