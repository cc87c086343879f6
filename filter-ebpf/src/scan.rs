//! Walking a table of a generation.
//!
//! The kernel runs the loop (`bpf_loop`, Linux 5.17): the verifier then looks
//! at one step, not at every length that a table could have.

use core::ffi::c_void;
use core::ptr::from_mut;

use aya_ebpf::helpers::generated::bpf_loop;

/// Whether a walk goes on.
#[repr(i64)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Next = 0,
    Stop = 1,
}

/// One step: the position, and what the walk carries along.
pub(crate) type StepFn<C> = unsafe extern "C" fn(u32, &mut C) -> Step;

/// Calls `step` for 0 to `count - 1`, or until it says stop.
#[inline(always)]
pub(crate) fn walk<C>(count: u32, carried: &mut C, step: StepFn<C>) {
    // SAFETY: the callback takes the position and the pointer that is given
    // here, which outlives the call; flags must be zero.
    unsafe {
        bpf_loop(count, step as *mut c_void, from_mut(carried).cast(), 0);
    }
}
