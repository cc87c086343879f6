//! Sampled refusals, as they travel through the ring buffer.

use crate::address::Address;
use crate::pod;

/// Bytes of the ring buffer.
pub const EVENT_RING_BYTES: u32 = 1 << 18;

/// A window for sampling is `1 << EVENT_WINDOW_SHIFT` jiffies long.
pub const EVENT_WINDOW_SHIFT: u32 = 5;

/// The most events that one CPU sends in one window.
pub const EVENTS_PER_WINDOW: u32 = 64;

/// A packet that was refused, or would have been.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Boot-clock time in nanoseconds.
    pub boot_ns: u64,
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Index of the interface that received it.
    pub ifindex: u32,
    /// App index, 0 when no app is known.
    pub app: u32,
    /// A [`crate::reason::Reason`].
    pub reason: u32,
    /// A [`crate::verdict::Verdict`].
    pub verdict: u32,
    /// Bytes of the frame.
    pub frame_bytes: u32,
    /// Source port in host order, 0 when unknown.
    pub source_port: u16,
    /// Destination port in host order, 0 when unknown.
    pub destination_port: u16,
    /// 4, 6, or 0 when the frame is not IP or was not read that far.
    pub family: u8,
    /// IP protocol number, 0 when unknown.
    pub protocol: u8,
    /// How many VLAN tags were in front.
    pub vlan_tags: u8,
    /// Always zero.
    pub reserved: [u8; 5],
}

/// Per-CPU state of the sampling.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct EventBudget {
    /// The window that `sent` counts for.
    pub window: u64,
    /// Events sent in that window.
    pub sent: u64,
    /// Refusals not sent because the window was spent.
    pub suppressed: u64,
    /// Events lost because the ring was full.
    pub lost: u64,
}

const _: () = assert!(size_of::<Event>() == 72);
const _: () = assert!(size_of::<EventBudget>() == 32);

pod!(Event, EventBudget);
