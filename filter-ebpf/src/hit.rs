//! Counting hits: which entry let how many packets in, and when last.

use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;
use filter_common::event::HIT_SAMPLE;
use filter_common::hit::Hit;

use crate::maps::{EVENT_BUDGET, HITS};

/// Counts a packet that a table admitted; whether it stands for all since the
/// last one that did.
#[inline(always)]
pub(crate) fn is_sampled() -> bool {
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else { return false };
    // SAFETY: the value belongs to this CPU, and the program is not preempted
    // by itself.
    let admitted = unsafe {
        (*budget).admitted += 1;
        (*budget).admitted
    };
    admitted % HIT_SAMPLE == 0
}

/// Counts a packet that a table admitted, unless it is the one to be sampled.
#[inline(always)]
pub(crate) fn count_unsampled() -> bool {
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else { return false };
    // SAFETY: as in `is_sampled`.
    let budget = unsafe { &mut *budget };
    let is_next = (budget.admitted + 1) % HIT_SAMPLE == 0;
    budget.admitted += u64::from(!is_next);
    !is_next
}

/// Notes a hit of an entry, or as many as a sample stands for.
///
/// Not inlined: it is off the usual path.
#[inline(never)]
pub(crate) fn note(entry: u32, is_sample: u32) {
    let packets = if is_sample == 0 { 1 } else { HIT_SAMPLE };
    // SAFETY: the helper takes no arguments and has no preconditions.
    let last_ns = unsafe { bpf_ktime_get_coarse_ns() };
    match HITS.get_ptr_mut(entry) {
        // SAFETY: the value belongs to this CPU, as in `is_sampled`.
        Some(hit) => unsafe {
            (*hit).packets += packets;
            (*hit).last_ns = last_ns;
        },
        // Without room it is not counted.
        None => {
            let _uncounted = HITS.insert(entry, Hit { packets, last_ns }, 0);
        }
    }
}
