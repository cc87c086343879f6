//! The short way for the packets that come in millions: plain TCP and UDP to
//! ports whose scope says nothing of interfaces and destinations.
//!
//! Invariant: it ends a packet only as the long way would. Whatever it is not
//! sure of, and whatever is rare (events, samples of hits, replies), it leaves
//! to the long way.

use core::hint::black_box;

use aya_ebpf::programs::XdpContext;
use filter_common::address::Address;
use filter_common::generation::{EXPRESS, Generation, SCOPE_POSITION, SCOPE_SERVED};
use filter_common::poptrie::Answer;
use filter_common::reason::Reason;
use filter_common::trie::{ACCELERATED, ListRef};
use filter_common::verdict::{Mode, Verdict, decide};
use network_types::eth::EthHdr;
use network_types::ip::{Ipv4Hdr, Ipv6Hdr};

use crate::bytes::{Linear, first_octet, word};
use crate::hit;
use crate::judge::Finding;
use crate::link::{ETHERTYPE_IPV4, ETHERTYPE_IPV6};
use crate::list::{Source, ask_trie, list_of, reason};
use crate::maps::PORT_INDEX;
use crate::martian::is_martian_address;
use crate::report::{count, suppress};
use crate::scope::{app_record, position};
use crate::table;
use crate::transport::{DHCPV4_CLIENT, DHCPV6_CLIENT, TCP, UDP, begins_connection};

/// Bytes of a TCP header as far as its flags, and of a whole UDP header.
const TCP_BYTES: usize = 14;
const UDP_BYTES: usize = 8;

/// A packet with nothing unusual about it.
struct Plain {
    source: Source,
    protocol: u8,
    port: u16,
    /// Whether no flow has it as a reply: it begins a TCP connection.
    begins: bool,
}

/// Judges a packet, counts it, and answers its verdict; nothing when it has to
/// go the long way.
///
/// Not inlined: neither way has the other's variables on its stack.
#[inline(never)]
pub(crate) fn judge(ctx: &XdpContext, generation: &Generation) -> Option<Verdict> {
    let frame = Linear::behind(ctx, 0);
    let plain = read(frame)?;
    let finding = find(generation, &plain)?;
    let verdict = decide(finding.mode, finding.reason);
    match verdict {
        Verdict::Pass => {}
        Verdict::Drop | Verdict::WouldDrop => suppress()?,
    }
    // The whole packet lies in this part of its frame.
    count(finding, verdict, frame.bytes() as u32);
    Some(verdict)
}

#[inline(always)]
fn find(generation: &Generation, plain: &Plain) -> Option<Finding> {
    let start = PORT_INDEX.get(generation.slot)?[plain.port as usize];
    if start & EXPRESS == 0 {
        return None;
    }
    let first = u32::from(start & SCOPE_POSITION);
    if first >= generation.scope_count {
        return Some(Finding::pass(0, Reason::Unscoped));
    }
    let scope = &generation.scopes[position(first)];
    let app = app_record(generation, scope.target);
    let mode = Mode::from_raw(app.mode);
    let is_usual = (scope.protocol == 0 || scope.protocol == plain.protocol)
        && (app.hops4 | app.hops6) == 0
        && mode as u32 != Mode::Off as u32;
    if !is_usual {
        return None;
    }
    let reason = ask(plain, list_of(app, plain.source.is_v4))?;
    let may_be_reply = scope.flags & SCOPE_SERVED == 0 && !plain.begins;
    if reason.refuses() && may_be_reply {
        return None;
    }
    Some(Finding { app: scope.target, mode, reason })
}

#[inline(always)]
fn ask(plain: &Plain, list: ListRef) -> Option<Reason> {
    if list & ACCELERATED != 0 {
        return match table::answer(plain.source, list) {
            Answer::Refused => Some(Reason::NotListed),
            Answer::Admitted => (!plain.begins && hit::count_unsampled()).then_some(Reason::Listed),
            Answer::Ask => None,
        };
    }
    let found = ask_trie(plain.source, list);
    let reason = reason(found);
    if let (Some(value), Reason::Listed) = (found, reason) {
        hit::note(value.entry, 0);
    }
    Some(reason)
}

#[inline(always)]
fn read(frame: Linear) -> Option<Plain> {
    let ethernet: EthHdr = frame.read(0)?;
    match u16::from_be(ethernet.ether_type) {
        ETHERTYPE_IPV4 => read_ipv4(frame),
        ETHERTYPE_IPV6 => read_ipv6(frame),
        _ => None,
    }
}

#[inline(always)]
fn read_ipv4(frame: Linear) -> Option<Plain> {
    let header: [u16; Ipv4Hdr::LEN / 2] = frame.read(EthHdr::LEN)?;
    let [first, total, _, fragment, ttl_and_protocol, _, a, b, c, d] = header;
    let [version_and_length, _] = first.to_ne_bytes();
    let [_, protocol] = ttl_and_protocol.to_ne_bytes();
    let source: Address = [word(a, b), 0, 0, 0];
    let payload = usize::from(u16::from_be(total)).wrapping_sub(Ipv4Hdr::LEN);
    let is_plain = version_and_length == 0x45
        && fragment & 0x3fff_u16.to_be() == 0
        && first_octet(&[word(c, d), 0, 0, 0]) < 0xe0
        && !is_martian_address(&source, true);
    if !is_plain {
        return None;
    }
    let offset = EthHdr::LEN + Ipv4Hdr::LEN;
    read_transport(frame, Source::new(source, true), protocol, offset, payload, DHCPV4_CLIENT)
}

#[inline(always)]
fn read_ipv6(frame: Linear) -> Option<Plain> {
    let header: [u16; Ipv6Hdr::LEN / 2] = frame.read(EthHdr::LEN)?;
    let [first, _, payload, next_and_limit, s0, s1, s2, s3, s4, s5, s6, s7, d0, ..] = header;
    let [protocol, _] = next_and_limit.to_ne_bytes();
    let source = [word(s0, s1), word(s2, s3), word(s4, s5), word(s6, s7)];
    let is_plain = first.to_ne_bytes()[0] >> 4 == 6
        && d0.to_ne_bytes()[0] != 0xff
        && !is_martian_address(&source, false);
    if !is_plain {
        return None;
    }
    let offset = EthHdr::LEN + Ipv6Hdr::LEN;
    let payload = usize::from(u16::from_be(payload));
    read_transport(frame, Source::new(source, false), protocol, offset, payload, DHCPV6_CLIENT)
}

/// Reads what is left when all of the packet lies in the linear part.
#[inline(always)]
fn read_transport(
    frame: Linear,
    source: Source,
    protocol: u8,
    offset: usize,
    payload: usize,
    dhcp_client: u16,
) -> Option<Plain> {
    let [_, port] = frame.read::<[u16; 2]>(offset)?;
    if payload > frame.bytes() - offset {
        return None;
    }
    // Read anew, so that Linux 6.1's verifier knows that it is 16 bits long.
    let port = black_box(u16::from_be(port));
    let begins = match protocol {
        UDP if payload >= UDP_BYTES && port != dhcp_client => false,
        TCP if payload >= TCP_BYTES => {
            let [flags] = frame.read::<[u16; 1]>(offset + TCP_BYTES - 2)?;
            begins_connection(flags.to_ne_bytes()[1])
        }
        _ => return None,
    };
    Some(Plain { source, protocol, port, begins })
}
