//! Modes, verdicts, and the one function between them.

use crate::reason::Reason;

/// What an app does with a refusal. The order is strictness: a later mode is
/// stricter than an earlier one.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Passes every packet without a look.
    Off = 0,
    /// Counts a refusal as would-drop and passes the packet.
    Observe = 1,
    /// Drops what is refused.
    Enforce = 2,
}

impl Mode {
    /// The mode a shared record holds. Anything unknown is as strict as can be.
    #[inline(always)]
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Off,
            1 => Self::Observe,
            _ => Self::Enforce,
        }
    }

    /// The lower-case word used in every front end.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}

/// What happens to a packet.
#[must_use]
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The packet goes on to the stack.
    Pass = 0,
    /// The packet would be dropped if the app enforced; it passes.
    WouldDrop = 1,
    /// The packet ends here.
    Drop = 2,
}

impl Verdict {
    /// Every verdict, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Pass, Self::WouldDrop, Self::Drop];

    /// The lower-case word used in every front end.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::WouldDrop => "would_drop",
            Self::Drop => "drop",
        }
    }
}

/// Turns the end of a packet's path into its verdict: a reason that admits
/// passes in every mode, a reason that refuses does what the mode says.
#[inline(always)]
pub const fn decide(mode: Mode, reason: Reason) -> Verdict {
    match (reason.refuses(), mode) {
        (false, Mode::Off | Mode::Observe | Mode::Enforce) | (true, Mode::Off) => Verdict::Pass,
        (true, Mode::Observe) => Verdict::WouldDrop,
        (true, Mode::Enforce) => Verdict::Drop,
    }
}
