//! Looking a source up: access lists, trusted hops, fail-safe sources.

use aya_ebpf::btf_maps::lpm_trie::Key;
use aya_ebpf::helpers::bpf_ktime_get_boot_ns;
use filter_common::address::{Address, bits, is_inside};
use filter_common::generation::{AppRecord, FAMILY_V4, Generation, MAX_FAIL_SAFE};
use filter_common::poptrie::Answer;
use filter_common::reason::Reason;
use filter_common::trie::{ListRef, TrieValue, place};

use crate::hit;
use crate::maps::{TRIES4, TRIES6};
use crate::packet::{Fragment, Packet, Ports};
use crate::scan::{Step, walk};
use crate::table;

const NANOSECONDS: u64 = 1_000_000_000;

/// An address that is looked up: its bits from the highest of `high` to the
/// lowest of `low`; an IPv4 address lies in the upper half of `high`.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) high: u64,
    pub(crate) low: u64,
    pub(crate) is_v4: bool,
}

impl Source {
    #[inline(always)]
    pub(crate) fn new(address: Address, is_v4: bool) -> Self {
        let [high, low] = bits(address);
        Self { high, low, is_v4 }
    }

    #[inline(always)]
    fn of(packet: &Packet) -> Self {
        Self::new(packet.source, packet.family == FAMILY_V4)
    }
}

/// Whether an app's access list admits the source: [`Reason::Listed`],
/// [`Reason::Expired`] or [`Reason::NotListed`].
///
/// Not inlined, as what follows: look-ups would crowd their callers' stack.
#[inline(never)]
pub(crate) fn ask_list(app: &AppRecord, packet: &Packet) -> Reason {
    let source = Source::of(packet);
    let list = list_of(app, source.is_v4);
    match table::answer(source, list) {
        Answer::Refused => Reason::NotListed,
        Answer::Admitted => Reason::Listed,
        Answer::Ask => reason(ask_trie(source, list)),
    }
}

/// The same for the packet at hand, which is a hit of the entry that admits it.
#[inline(never)]
pub(crate) fn judge_source(app: &AppRecord, packet: &Packet, begins: bool) -> Reason {
    let source = Source::of(packet);
    let list = list_of(app, source.is_v4);
    let counts_for_many = match table::answer(source, list) {
        Answer::Refused => return Reason::NotListed,
        Answer::Admitted if begins => false,
        Answer::Admitted if hit::is_sampled() => true,
        Answer::Admitted => return Reason::Listed,
        Answer::Ask => false,
    };
    let found = ask_trie(source, list);
    let reason = reason(found);
    if let (Some(value), Reason::Listed) = (found, reason) {
        hit::note(value.entry, counts_for_many.into());
    }
    reason
}

/// Where an app's access list of a family is.
#[inline(always)]
pub(crate) fn list_of(app: &AppRecord, is_v4: bool) -> ListRef {
    if is_v4 { app.list4 } else { app.list6 }
}

/// What a look-up in a trie comes to.
#[inline(always)]
pub(crate) fn reason(found: Option<&TrieValue>) -> Reason {
    match found {
        None => Reason::NotListed,
        Some(value) if is_expired(value) => Reason::Expired,
        Some(_) => Reason::Listed,
    }
}

/// Whether the source is a trusted hop of an app.
#[inline(never)]
pub(crate) fn is_trusted_hop(app: &AppRecord, packet: &Packet) -> bool {
    let hops = if packet.family == FAMILY_V4 { app.hops4 } else { app.hops6 };
    hops != 0 && ask_trie(Source::of(packet), hops).is_some()
}

/// The most specific prefix that covers the source, in the trie of a list.
#[inline(always)]
pub(crate) fn ask_trie(source: Source, list: ListRef) -> Option<&'static TrieValue> {
    let place = place(list);
    if place == 0 {
        return None;
    }
    let [a, b, c, d, ..] = source.high.to_be_bytes();
    let [value] = if source.is_v4 {
        TRIES4.get(place)?.get(&Key::new(32, [a, b, c, d]))?
    } else {
        let octets = u128::from(source.high) << u64::BITS | u128::from(source.low);
        TRIES6.get(place)?.get(&Key::new(128, octets.to_be_bytes()))?
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
