//! Which app holds a packet, and which apps could.

use filter_common::address::is_inside;
use filter_common::generation::{
    AppRecord, COVER_GROUP, FAMILY_ANY, Generation, MAX_APPS, MAX_SCOPES, PROTOCOL_ANY,
    SCOPE_PORTS, SCOPE_POSITION, ScopeRecord,
};
use filter_common::reason::Reason;
use filter_common::verdict::Mode;

use crate::list::{ask_list, is_trusted_hop};
use crate::maps::PORT_INDEX;
use crate::packet::{Packet, Ports};
use crate::scan::{Step, walk};

/// How a scope fits what is known of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    No,
    /// It depends on what is not known.
    Maybe,
    Yes,
}

/// The apps that could hold a packet of which not everything is known.
#[derive(Clone, Copy)]
pub(crate) struct Candidates {
    /// The app, when there is one alone; else 0.
    pub(crate) app: u32,
    /// Whether there is any.
    pub(crate) any: bool,
    /// The strictest mode among them.
    pub(crate) strictest: Mode,
    /// The strictest mode among those that do not admit the source.
    pub(crate) strictest_refusing: Mode,
    /// An app that admits the source, or 0.
    pub(crate) admitting: u32,
}

/// The record of an app.
#[inline(always)]
pub(crate) fn app_record(generation: &Generation, app: u32) -> &AppRecord {
    &generation.apps[app as usize & (MAX_APPS - 1)]
}

/// The scope that holds a packet of which everything is known: the first one
/// that fits is the most specific one.
#[inline(always)]
pub(crate) fn holder<'a>(generation: &'a Generation, packet: &Packet) -> Option<&'a ScopeRecord> {
    let first = first_scope(generation, packet);
    if first >= generation.scope_count {
        return None;
    }
    // The first one that its port could mean nearly always fits.
    let scope = &generation.scopes[position(first)];
    if fit(scope, packet) == Fit::Yes {
        return Some(scope);
    }
    let mut search = Search { generation, packet, first: first + 1, found: u32::MAX };
    walk(generation.scope_count - first - 1, &mut search, holder_step);
    if search.found == u32::MAX { None } else { Some(&generation.scopes[position(search.found)]) }
}

/// The position of the first scope that a packet's port could mean.
#[inline(always)]
fn first_scope(generation: &Generation, packet: &Packet) -> u32 {
    match packet.ports {
        Ports::Known => match PORT_INDEX.get(generation.slot) {
            Some(index) => (index[packet.destination_port as usize] & SCOPE_POSITION).into(),
            None => 0,
        },
        Ports::None | Ports::Unknown => generation.first_portless,
    }
}

/// A walk that starts somewhere and ends with the first record that fits.
struct Search<'a> {
    generation: &'a Generation,
    packet: &'a Packet,
    first: u32,
    found: u32,
}

unsafe extern "C" fn holder_step(index: u32, search: &mut Search<'_>) -> Step {
    let scope = &search.generation.scopes[position(search.first + index)];
    if fit(scope, search.packet) != Fit::Yes {
        return Step::Next;
    }
    search.found = search.first + index;
    Step::Stop
}

/// Keeps an index inside a table, in terms that the verifier understands.
#[inline(always)]
pub(crate) fn position(index: u32) -> usize {
    index as usize & (MAX_SCOPES - 1)
}

/// The apps that could hold a packet, and what their lists say of its source.
/// Not inlined: it is off the usual path, and would crowd its stack frame.
#[inline(never)]
pub(crate) fn candidates(generation: &Generation, packet: &Packet) -> Candidates {
    let found = Candidates {
        app: 0,
        any: false,
        strictest: Mode::Off,
        strictest_refusing: Mode::Off,
        admitting: 0,
    };
    let mut survey = Survey { generation, packet, found };
    walk(generation.scope_count, &mut survey, survey_step);
    survey.found
}

struct Survey<'a> {
    generation: &'a Generation,
    packet: &'a Packet,
    found: Candidates,
}

unsafe extern "C" fn survey_step(index: u32, survey: &mut Survey<'_>) -> Step {
    let scope = &survey.generation.scopes[position(index)];
    let fit = fit(scope, survey.packet);
    if fit != Fit::No {
        survey.found.add(survey.generation, scope.target, survey.packet);
    }
    if fit == Fit::Yes { Step::Stop } else { Step::Next }
}

impl Candidates {
    #[inline(always)]
    fn add(&mut self, generation: &Generation, app: u32, packet: &Packet) {
        self.app = if !self.any || self.app == app { app } else { 0 };
        self.any = true;
        let record = app_record(generation, app);
        let mode = Mode::from_raw(record.mode);
        if mode as u32 > self.strictest as u32 {
            self.strictest = mode;
        }
        if ask_list(record, packet) == Reason::Listed || is_trusted_hop(record, packet) {
            self.admitting = app;
        } else if mode as u32 > self.strictest_refusing as u32 {
            self.strictest_refusing = mode;
        }
    }
}

/// The least strict mode that stands before any port of a later fragment.
#[inline(always)]
pub(crate) fn cover(generation: &Generation, packet: &Packet) -> Mode {
    let mut search = Search { generation, packet, first: 0, found: Mode::Off as u32 };
    walk(generation.cover_count, &mut search, cover_step);
    Mode::from_raw(search.found)
}

unsafe extern "C" fn cover_step(index: u32, search: &mut Search<'_>) -> Step {
    let cover = &search.generation.covers[position(index)];
    let packet = search.packet;
    let group = if packet.to_group { COVER_GROUP } else { 0 };
    let fits = (cover.ifindex == 0 || cover.ifindex == packet.ifindex)
        && cover.family == packet.family
        && cover.protocol == packet.protocol
        && cover.flags == group
        && is_inside(&packet.destination, &cover.destination, &cover.mask);
    if !fits {
        return Step::Next;
    }
    search.found = cover.target;
    Step::Stop
}

#[inline(always)]
fn fit(scope: &ScopeRecord, packet: &Packet) -> Fit {
    if scope.ifindex != 0 && scope.ifindex != packet.ifindex {
        return Fit::No;
    }
    let mut fit = Fit::Yes;
    if scope.family != FAMILY_ANY {
        if packet.family == FAMILY_ANY {
            fit = Fit::Maybe;
        } else if scope.family != packet.family
            || !(packet.to_group || is_inside(&packet.destination, &scope.destination, &scope.mask))
        {
            return Fit::No;
        }
    }
    if scope.protocol != PROTOCOL_ANY {
        if packet.protocol == 0 {
            fit = Fit::Maybe;
        } else if scope.protocol != packet.protocol {
            return Fit::No;
        }
    }
    if scope.flags & SCOPE_PORTS != 0 {
        match packet.ports {
            Ports::None => return Fit::No,
            Ports::Unknown => fit = Fit::Maybe,
            Ports::Known => {
                let port = packet.destination_port;
                if port < scope.port_first || port > scope.port_last {
                    return Fit::No;
                }
            }
        }
    }
    fit
}
