//! The path of a packet, from its first byte to the reason it ends with.
//!
//! The two halves are functions of their own, and what the first one finds
//! out lies in the packet: the verifier follows the second half once, not once
//! for every protocol, family and kind of fragment that the first half tells
//! apart.

use aya_ebpf::programs::XdpContext;
use filter_common::generation::{Generation, SCOPE_SERVED, ScopeRecord};
use filter_common::reason::Reason;
use filter_common::verdict::Mode;

use crate::exempt::exemption;
use crate::fragment::{judge_later_fragment, judge_unread_ports};
use crate::icmp_error;
use crate::link::{Payload, payload};
use crate::list::{is_fail_safe, is_trusted_hop, judge_source};
use crate::martian::is_martian;
use crate::packet::{Fragment, Packet, Ports};
use crate::reply::reply;
use crate::scope::{app_record, candidates, holder};
use crate::transport::{TCP, begins_connection};
use crate::{ipv4, ipv6, transport};

/// How a path ended.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Finding {
    /// The app that held the packet, 0 when none is known.
    pub(crate) app: u32,
    /// What a refusal does.
    pub(crate) mode: Mode,
    pub(crate) reason: Reason,
}

impl Finding {
    /// There is nothing to judge by: refused by default.
    pub(crate) const NO_POLICY: Self =
        Self { app: 0, mode: Mode::Enforce, reason: Reason::NoPolicy };

    #[inline(always)]
    pub(crate) fn pass(app: u32, reason: Reason) -> Self {
        Self { app, mode: Mode::Off, reason }
    }
}

/// Judges a frame; what is found lies in the packet.
#[inline(always)]
pub(crate) fn judge(ctx: &XdpContext, generation: &Generation, packet: &mut Packet) {
    if read_headers(ctx, packet, generation.flags) {
        judge_ip(ctx, generation, packet);
    } else if packet.finding.reason.refuses() {
        refuse_early(generation, packet);
    }
}

/// Reads what a verdict needs. Answers false when the path has ended already.
#[inline(never)]
fn read_headers(ctx: &XdpContext, packet: &mut Packet, flags: u32) -> bool {
    let ended = read_network(ctx, packet, flags) || read_transport(ctx, packet, flags);
    !ended
}

/// Reads Ethernet and IP. Answers whether the path has ended.
#[inline(always)]
fn read_network(ctx: &XdpContext, packet: &mut Packet, flags: u32) -> bool {
    let parsed = match payload(ctx, flags, packet) {
        Payload::Ipv4 => ipv4::parse(ctx, packet),
        Payload::Ipv6 => ipv6::parse(ctx, packet),
        Payload::Other(reason) => Err(reason),
    };
    ends(packet, parsed)
}

/// Reads ports and ICMP types, and sees to what is judged by them alone.
/// Answers whether the path has ended.
#[inline(never)]
fn read_transport(ctx: &XdpContext, packet: &mut Packet, flags: u32) -> bool {
    let judged = match transport::parse(ctx, packet) {
        Err(reason) => Err(reason),
        Ok(()) => match exemption(flags, packet) {
            Some(reason) => Err(reason),
            None if is_martian(packet) => Err(Reason::Martian),
            None => Ok(()),
        },
    };
    ends(packet, judged)
}

#[inline(always)]
fn ends(packet: &mut Packet, result: Result<(), Reason>) -> bool {
    match result {
        Ok(()) => false,
        Err(reason) => {
            packet.finding = Finding::pass(0, reason);
            true
        }
    }
}

/// A refusal found before the app is known does what the strictest app that
/// could hold the packet says.
#[inline(never)]
fn refuse_early(generation: &Generation, packet: &mut Packet) {
    let found = candidates(generation, packet);
    packet.finding = match found.strictest {
        _ if !found.any => Finding::pass(0, Reason::Unscoped),
        Mode::Off => Finding::pass(found.app, Reason::ModeOff),
        mode @ (Mode::Observe | Mode::Enforce) => {
            Finding { app: found.app, mode, reason: packet.finding.reason }
        }
    };
}

#[inline(never)]
fn judge_ip(ctx: &XdpContext, generation: &Generation, packet: &mut Packet) {
    packet.finding = if is_fail_safe(generation, packet) {
        Finding::pass(0, Reason::FailSafe)
    } else if packet.ports == Ports::Unknown {
        match packet.fragment {
            Fragment::Later => judge_later_fragment(generation, packet),
            Fragment::Whole | Fragment::First => judge_unread_ports(generation, packet),
        }
    } else {
        match holder(generation, packet) {
            None => Finding::pass(0, Reason::Unscoped),
            Some(scope) => judge_held(ctx, generation, packet, scope),
        }
    };
}

#[inline(always)]
fn judge_held(
    ctx: &XdpContext,
    generation: &Generation,
    packet: &Packet,
    scope: &ScopeRecord,
) -> Finding {
    let app = scope.target;
    let record = app_record(generation, app);
    let mode = Mode::from_raw(record.mode);
    if mode == Mode::Off {
        return Finding::pass(app, Reason::ModeOff);
    }
    let reason = if is_trusted_hop(record, packet) {
        Reason::TrustedHop
    } else if icmp_error::is_answer(ctx, generation, app, packet) {
        Reason::IcmpError
    } else {
        let begins = packet.protocol == TCP && begins_connection(packet.tcp_flags);
        let answer = judge_source(record, packet, begins);
        if answer.refuses() && scope.flags & SCOPE_SERVED == 0 {
            reply(ctx, packet).unwrap_or(answer)
        } else {
            answer
        }
    };
    Finding { app, mode, reason }
}
