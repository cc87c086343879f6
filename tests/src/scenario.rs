//! The packet table of `packets.md` as named scenarios.
//!
//! Owns what is sent and what must come of it: the app, the reason and the
//! verdict, declared here and nowhere computed from the code under test.
//! Never runs anything: `bpf.rs` runs a scenario through the real program,
//! `wire.rs` over a real wire into real sockets.
//!
//! Invariant: a name is used once.

pub mod alive;
pub mod error;
pub mod fragment;
pub mod header;
pub mod link;
pub mod protocol;
pub mod reply;
pub mod rules;
pub mod scope;
pub mod source;

pub use filter_common::reason::Reason;
pub use filter_common::verdict::{Mode, Verdict};

use crate::frame::Packet;
use crate::frame::segment::{Segment, flags, protocol as number};
use crate::receiver::Receiver;
use crate::world::{Family, LISTED, Place, UNLISTED};
pub use rules::{AppRules, Rules};

/// One packet, the rules it meets, and what must come of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The section of packets.md, and its row.
    pub row: &'static str,
    /// Says what is special about it; unique.
    pub name: String,
    /// What the filter is told.
    pub rules: Rules,
    /// Frames without which the judged one reaches no socket: the other
    /// fragments of a datagram.
    pub companions: Vec<Vec<u8>>,
    /// The frame that is judged.
    pub frame: Vec<u8>,
    /// What must come of it.
    pub expected: Expected,
    /// Where it arrives when nothing stands in its way.
    pub reaches: Reaches,
}

/// What must come of a packet while the apps without a mode of their own
/// enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Place of the app in the rules, from 1; 0 when no app is known.
    pub app: u32,
    /// How the path ends.
    pub reason: Reason,
    /// What happens.
    pub verdict: Verdict,
    /// The app and the reason when the apps are off, where it is neither
    /// `mode_off` of the same app nor a pass that asks no app.
    pub off: Option<(u32, Reason)>,
}

/// Where a frame arrives without a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaches {
    /// The socket that is watched.
    pub receiver: Receiver,
    /// Why Linux itself keeps the frame from the socket, if it does.
    pub linux_refuses: Option<&'static str>,
}

impl Expected {
    /// Passes.
    pub fn pass(app: u32, reason: Reason) -> Self {
        Self { app, reason, verdict: Verdict::Pass, off: None }
    }

    /// Is dropped.
    pub fn drop(app: u32, reason: Reason) -> Self {
        Self { app, reason, verdict: Verdict::Drop, off: None }
    }

    /// Is counted as would-drop: for rules whose apps have modes of their own.
    pub fn would_drop(app: u32, reason: Reason) -> Self {
        Self { app, reason, verdict: Verdict::WouldDrop, off: None }
    }

    /// With another end when the apps are off.
    pub fn off(mut self, app: u32, reason: Reason) -> Self {
        self.off = Some((app, reason));
        self
    }

    /// The cell that must move when the apps without a mode have this one.
    pub fn cell(&self, mode: Mode) -> (u32, Reason, Verdict) {
        match (mode, self.verdict) {
            (Mode::Enforce, verdict) => (self.app, self.reason, verdict),
            (Mode::Observe, Verdict::Drop) => (self.app, self.reason, Verdict::WouldDrop),
            (Mode::Observe, verdict) => (self.app, self.reason, verdict),
            (Mode::Off, verdict) => {
                let asks_no_app = self.app == 0 && verdict == Verdict::Pass;
                let usual = if asks_no_app { self.reason } else { Reason::ModeOff };
                let (app, reason) = self.off.unwrap_or((self.app, usual));
                (app, reason, Verdict::Pass)
            }
        }
    }
}

impl Reaches {
    /// It arrives there.
    pub fn at(receiver: Receiver) -> Self {
        Self { receiver, linux_refuses: None }
    }

    /// Linux keeps it from there, for this reason.
    pub fn not_at(receiver: Receiver, why: &'static str) -> Self {
        Self { receiver, linux_refuses: Some(why) }
    }
}

impl Scenario {
    /// A scenario of a frame.
    pub fn new(
        row: &'static str,
        name: impl Into<String>,
        rules: Rules,
        frame: Vec<u8>,
        expected: Expected,
        reaches: Reaches,
    ) -> Self {
        Self { row, name: name.into(), rules, companions: Vec::new(), frame, expected, reaches }
    }

    /// With the frames that complete it.
    pub fn with_companions(mut self, companions: Vec<Vec<u8>>) -> Self {
        self.companions = companions;
        self
    }

    /// The modes under which the scenario says something different.
    pub fn modes(&self) -> &'static [Mode] {
        if self.rules.apps.iter().any(|app| app.mode.is_none()) {
            &[Mode::Enforce, Mode::Observe, Mode::Off]
        } else {
            &[Mode::Enforce]
        }
    }
}

/// A packet of both sources and of each family: the listed one passes as
/// `listed`, the other one is dropped as `not_listed`, both by app 1.
pub fn twins(
    row: &'static str,
    name: &str,
    rules: &Rules,
    families: &[Family],
    reaches: impl Fn(Family) -> Reaches,
    packet: impl Fn(Place, Family) -> Packet,
) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for family in families {
        for (source, word, expected) in [
            (LISTED, "listed", Expected::pass(1, Reason::Listed)),
            (UNLISTED, "unlisted", Expected::drop(1, Reason::NotListed)),
        ] {
            scenarios.push(Scenario::new(
                row,
                format!("{name}, {word}, {}", family.name()),
                rules.clone(),
                packet(source, *family).frame(),
                expected,
                reaches(*family),
            ));
        }
    }
    scenarios
}

/// A packet of both sources and of each family, which all end the same way.
pub fn alike(
    row: &'static str,
    name: &str,
    rules: &Rules,
    families: &[Family],
    expected: Expected,
    reaches: impl Fn(Family) -> Reaches,
    packet: impl Fn(Place, Family) -> Packet,
) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for family in families {
        for (source, word) in [(LISTED, "listed"), (UNLISTED, "unlisted")] {
            scenarios.push(Scenario::new(
                row,
                format!("{name}, {word}, {}", family.name()),
                rules.clone(),
                packet(source, *family).frame(),
                expected,
                reaches(*family),
            ));
        }
    }
    scenarios
}

/// Every scenario.
pub fn all() -> Vec<Scenario> {
    [
        scope::scenarios(),
        link::scenarios(),
        header::scenarios(),
        protocol::scenarios(),
        fragment::scenarios(),
        source::scenarios(),
        alive::scenarios(),
        error::scenarios(),
        reply::scenarios(),
    ]
    .concat()
}

/// The port that most scenarios protect.
pub const PORT: u16 = 443;

/// A source port that says nothing.
pub const EPHEMERAL: u16 = 45000;

/// A connection request.
pub fn syn(port: u16) -> Segment {
    Segment::tcp(EPHEMERAL, port, flags::SYN, crate::frame::segment::PROBE)
}

/// A datagram.
pub fn datagram(port: u16) -> Segment {
    Segment::udp(EPHEMERAL, port, crate::frame::segment::PROBE)
}

/// Arrives at a UDP socket of the port.
pub fn udp_socket(port: u16) -> Reaches {
    Reaches::at(Receiver::Udp(port))
}

/// Arrives at a raw socket of TCP.
pub fn tcp_copy() -> Reaches {
    Reaches::at(Receiver::Raw(number::TCP))
}
