//! Counting every packet, and sampling the refused ones.

use aya_ebpf::helpers::bpf_ktime_get_boot_ns;
use aya_ebpf::helpers::generated::bpf_jiffies64;
use aya_ebpf::programs::XdpContext;
use aya_log_ebpf::debug;
use filter_common::counter::counter_cell;
use filter_common::event::{EVENT_WINDOW_SHIFT, EVENTS_PER_WINDOW, Event, EventBudget};
use filter_common::verdict::Verdict;

use crate::maps::{COUNTERS, EVENT_BUDGET, EVENTS, keep_user_maps};
use crate::packet::Packet;

/// Counts a packet, and sends a sample of it when it was, or would have been,
/// refused.
#[inline(always)]
pub(crate) fn report(ctx: &XdpContext, packet: &Packet, verdict: Verdict) {
    keep_user_maps();
    let finding = packet.finding;
    count(packet, verdict);
    debug!(
        ctx,
        "if {} app {} reason {} verdict {}",
        packet.ifindex,
        finding.app,
        finding.reason as u32,
        verdict as u32
    );
    match verdict {
        Verdict::Pass => {}
        Verdict::WouldDrop | Verdict::Drop => sample(packet, verdict),
    }
}

#[inline(always)]
fn count(packet: &Packet, verdict: Verdict) {
    let finding = packet.finding;
    if let Some(counter) = COUNTERS.get_ptr_mut(counter_cell(finding.app, finding.reason, verdict))
    {
        // SAFETY: the cell belongs to this CPU and the program is not
        // preempted by itself.
        unsafe {
            (*counter).packets += 1;
            (*counter).bytes += u64::from(packet.frame_bytes);
        }
    }
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
    // SAFETY: the helper takes no arguments and has no preconditions.
    let window = unsafe { bpf_jiffies64() } >> EVENT_WINDOW_SHIFT;
    if budget.window != window {
        budget.window = window;
        budget.sent = 0;
    }
    let left = budget.sent < u64::from(EVENTS_PER_WINDOW);
    budget.sent += u64::from(left);
    left
}
