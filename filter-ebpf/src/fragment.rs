//! Later fragments and packets whose ports cannot be read.

use filter_common::generation::Generation;
use filter_common::reason::Reason;
use filter_common::verdict::Mode;

use crate::judge::Finding;
use crate::packet::Packet;
use crate::scope::{candidates, cover};

/// A later fragment passes when some app that could hold it admits its source,
/// or when a port is left that nobody guards: the first fragment is judged by
/// its ports, and without it nothing is reassembled.
#[inline(always)]
pub(crate) fn judge_later_fragment(generation: &Generation, packet: &Packet) -> Finding {
    let found = candidates(generation, packet);
    if !found.any {
        return Finding::pass(0, Reason::Unscoped);
    }
    if found.admitting != 0 {
        return Finding::pass(found.admitting, Reason::Listed);
    }
    match cover(generation, packet) {
        Mode::Off => Finding::pass(found.app, Reason::FragmentUncovered),
        mode @ (Mode::Observe | Mode::Enforce) => {
            Finding { app: found.app, mode, reason: Reason::Fragment }
        }
    }
}

/// A packet whose ports cannot be read needs the consent of every app that
/// could hold it.
#[inline(always)]
pub(crate) fn judge_unread_ports(generation: &Generation, packet: &Packet) -> Finding {
    let found = candidates(generation, packet);
    match found.strictest_refusing {
        _ if !found.any => Finding::pass(0, Reason::Unscoped),
        Mode::Off if found.admitting == 0 => Finding::pass(found.app, Reason::ModeOff),
        Mode::Off => Finding::pass(found.admitting, Reason::Listed),
        mode @ (Mode::Observe | Mode::Enforce) => {
            Finding { app: found.app, mode, reason: Reason::PortsUnread }
        }
    }
}
