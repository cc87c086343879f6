//! Looking a source up: access lists, trusted hops, fail-safe sources.

use aya_ebpf::btf_maps::lpm_trie::Key;
use aya_ebpf::helpers::bpf_ktime_get_boot_ns;
use filter_common::address::{is_inside, octets};
use filter_common::generation::{AppRecord, FAMILY_V4, Generation, MAX_FAIL_SAFE};
use filter_common::reason::Reason;
use filter_common::poptrie::Answer;
use filter_common::trie::{ACCELERATED, TrieValue};

use crate::maps::{TRIES4, TRIES6};
use crate::packet::{Fragment, Packet, Ports};
use crate::scan::{Step, walk};
use crate::table;

const NANOSECONDS: u64 = 1_000_000_000;

/// Whether an app's access list admits the source: [`Reason::Listed`],
/// [`Reason::Expired`] or [`Reason::NotListed`].
#[inline(always)]
pub(crate) fn ask_list(app: &AppRecord, packet: &Packet) -> Reason {
    match table::answer(packet, app) {
        Answer::Refused => Reason::NotListed,
        Answer::Admitted => Reason::Listed,
        Answer::Ask => ask_trie(app, packet),
    }
}

#[inline(always)]
fn ask_trie(app: &AppRecord, packet: &Packet) -> Reason {
    match find(packet, app.list4 & !ACCELERATED, app.list6 & !ACCELERATED) {
        None => Reason::NotListed,
        Some(value) if is_expired(value) => Reason::Expired,
        Some(_) => Reason::Listed,
    }
}

/// Whether the source is a trusted hop of an app.
#[inline(always)]
pub(crate) fn is_trusted_hop(app: &AppRecord, packet: &Packet) -> bool {
    find(packet, app.hops4, app.hops6).is_some()
}

/// The most specific prefix that covers the source, in the trie of its family.
#[inline(always)]
fn find(packet: &Packet, place4: u32, place6: u32) -> Option<&'static TrieValue> {
    let [value] = if packet.family == FAMILY_V4 {
        if place4 == 0 {
            return None;
        }
        TRIES4.get(place4)?.get(&Key::new(32, packet.source[0].to_ne_bytes()))?
    } else {
        if place6 == 0 {
            return None;
        }
        TRIES6.get(place6)?.get(&Key::new(128, octets(packet.source)))?
    };
    Some(value)
}

/// Expiry is honoured here, so that a temporary entry ends with the daemon
/// dead.
#[inline(always)]
fn is_expired(value: &TrieValue) -> bool {
    if value.expires_boot_s == 0 {
        return false;
    }
    // SAFETY: the helper takes no arguments and has no preconditions.
    let now_s = unsafe { bpf_ktime_get_boot_ns() } / NANOSECONDS;
    now_s >= u64::from(value.expires_boot_s)
}

/// Whether the source is a fail-safe source. Where a source is given with a
/// port, fragments that carry none pass as well: without the first one, which
/// is judged by its port, nothing is reassembled.
#[inline(always)]
pub(crate) fn is_fail_safe(generation: &Generation, packet: &Packet) -> bool {
    if generation.fail_safe_count == 0 {
        return false;
    }
    let mut search = Search { generation, packet, found: 0 };
    walk(generation.fail_safe_count, &mut search, fail_safe_step);
    search.found != 0
}

struct Search<'a> {
    generation: &'a Generation,
    packet: &'a Packet,
    found: u32,
}

unsafe extern "C" fn fail_safe_step(index: u32, search: &mut Search<'_>) -> Step {
    let record = &search.generation.fail_safe[index as usize & (MAX_FAIL_SAFE - 1)];
    let packet = search.packet;
    let port_fits = record.port_only == 0
        || match packet.ports {
            Ports::Known => record.port == packet.destination_port,
            Ports::Unknown => packet.fragment == Fragment::Later,
            Ports::None => false,
        };
    let fits = record.family == packet.family
        && port_fits
        && is_inside(&packet.source, &record.address, &record.mask);
    if !fits {
        return Step::Next;
    }
    search.found = 1;
    Step::Stop
}
