//! Counting every packet, and sampling the refused ones.

use aya_ebpf::helpers::bpf_ktime_get_boot_ns;
use aya_ebpf::helpers::generated::bpf_jiffies64;
use aya_ebpf::programs::XdpContext;
use aya_log_ebpf::debug;
use filter_common::counter::counter_cell;
use filter_common::event::{EVENT_WINDOW_SHIFT, EVENTS_PER_WINDOW, Event, EventBudget};
use filter_common::verdict::Verdict;

use crate::judge::Finding;
use crate::maps::{COUNTERS, EVENT_BUDGET, EVENTS};
use crate::packet::Packet;

/// Whether every packet is logged. The loader writes it before the program is
/// loaded; what it does not ask for is never even verified.
#[unsafe(no_mangle)]
static PACKET_LOG: u8 = 0;

/// Whether every packet is logged.
#[inline(always)]
pub(crate) fn logs_packets() -> bool {
    // SAFETY: a live, aligned byte; volatile, since the loader changes it.
    unsafe { (&raw const PACKET_LOG).read_volatile() != 0 }
}

/// Counts a packet, and sends a sample of it when it was, or would have been,
/// refused.
#[inline(always)]
pub(crate) fn report(ctx: &XdpContext, packet: &Packet, verdict: Verdict) {
    let finding = packet.finding;
    count(finding, verdict, packet.frame_bytes);
    if logs_packets() {
        log(ctx, packet, verdict);
    }
    match verdict {
        Verdict::Pass => {}
        Verdict::WouldDrop | Verdict::Drop => sample(packet, verdict),
    }
}

/// Not inlined: what it needs is not on the stack of a program that never logs.
#[inline(never)]
fn log(ctx: &XdpContext, packet: &Packet, verdict: Verdict) {
    let finding = packet.finding;
    debug!(
        ctx,
        "if {} app {} reason {} verdict {}",
        packet.ifindex,
        finding.app,
        finding.reason as u32,
        verdict as u32
    );
}

/// Counts a packet.
#[inline(always)]
pub(crate) fn count(finding: Finding, verdict: Verdict, frame_bytes: u32) {
    let cell = counter_cell(finding.app, finding.reason, verdict);
    if let Some(counter) = COUNTERS.get_ptr_mut(cell) {
        // SAFETY: the cell belongs to this CPU and the program is not
        // preempted by itself.
        unsafe {
            (*counter).packets += 1;
            (*counter).bytes += u64::from(frame_bytes);
        }
    }
}

/// Leaves a refusal out of the sample, if this window's share is spent.
#[inline(always)]
pub(crate) fn suppress() -> Option<()> {
    let budget = EVENT_BUDGET.get_ptr_mut(0)?;
    // SAFETY: as in `count`.
    let budget = unsafe { &mut *budget };
    if budget.window != window() || budget.sent < u64::from(EVENTS_PER_WINDOW) {
        return None;
    }
    budget.suppressed += 1;
    Some(())
}

/// Not inlined: the event has a stack frame of its own.
#[inline(never)]
fn sample(packet: &Packet, verdict: Verdict) {
    let finding = packet.finding;
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else { return };
    // SAFETY: as in `count`.
    let budget = unsafe { &mut *budget };
    if !take(budget) {
        budget.suppressed += 1;
        return;
    }
    let Some(mut entry) = EVENTS.reserve(0) else {
        budget.lost += 1;
        return;
    };
    entry.write(Event {
        // SAFETY: the helper takes no arguments and has no preconditions.
        boot_ns: unsafe { bpf_ktime_get_boot_ns() },
        source: packet.source,
        destination: packet.destination,
        ifindex: packet.ifindex,
        app: finding.app,
        reason: finding.reason as u32,
        verdict: verdict as u32,
        frame_bytes: packet.frame_bytes,
        source_port: packet.source_port,
        destination_port: packet.destination_port,
        family: packet.family,
        protocol: packet.protocol,
        vlan_tags: packet.vlan_tags,
        reserved: [0; 5],
    });
    entry.submit(0);
}

/// Takes one event out of this CPU's share of the window.
#[inline(always)]
fn take(budget: &mut EventBudget) -> bool {
    let window = window();
    if budget.window != window {
        budget.window = window;
        budget.sent = 0;
    }
    let left = budget.sent < u64::from(EVENTS_PER_WINDOW);
    budget.sent += u64::from(left);
    left
}

#[inline(always)]
fn window() -> u64 {
    // SAFETY: the helper takes no arguments and has no preconditions.
    let jiffies = unsafe { bpf_jiffies64() };
    jiffies >> EVENT_WINDOW_SHIFT
}
