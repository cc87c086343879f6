//! IPv6 extension headers (RFC 8200), followed to the transport header.

use aya_ebpf::programs::XdpContext;
use filter_common::reason::Reason;

use crate::bytes::load;
use crate::packet::{Fragment, Packet};
use crate::scan::{Step, walk};

/// Hop-by-hop options.
pub(crate) const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// How many extension headers are followed. Linux follows any number.
const MAX_HEADERS: u32 = 10;

/// Follows the chain that starts at `packet.offset` and leaves the offset and
/// the protocol at its end. Behind a later fragment's header nothing can be
/// read: the protocol is known only if it is no extension header itself.
#[inline(always)]
pub(crate) fn follow(ctx: &XdpContext, packet: &mut Packet, first: u8) -> Result<(), Reason> {
    if !is_extension(first) {
        packet.protocol = first;
        return Ok(());
    }
    let mut chain = Chain { ctx, packet, next: first.into(), end: End::TooLong };
    walk(MAX_HEADERS, &mut chain, step);
    match chain.end {
        End::Reached => Ok(()),
        End::TypeZero => Err(Reason::RoutingHeader),
        End::TooLong | End::Unreadable => Err(Reason::ExtHeaders),
    }
}

struct Chain<'a> {
    ctx: &'a XdpContext,
    packet: &'a mut Packet,
    next: u32,
    end: End,
}

/// How a chain ended.
#[repr(u32)]
#[derive(Clone, Copy)]
enum End {
    /// At the transport header, or at a later fragment.
    Reached,
    /// At a routing header of type 0.
    TypeZero,
    TooLong,
    Unreadable,
}

unsafe extern "C" fn step(_index: u32, chain: &mut Chain<'_>) -> Step {
    match pass_header(chain) {
        Some(end) => {
            chain.end = end;
            Step::Stop
        }
        None => Step::Next,
    }
}

/// Moves behind one extension header.
#[inline(always)]
fn pass_header(chain: &mut Chain<'_>) -> Option<End> {
    let current = chain.next as u8;
    let packet = &mut *chain.packet;
    if current == NO_NEXT_HEADER || packet.left() < 8 {
        return Some(End::Unreadable);
    }
    let Some(header) = load::<[u8; 8]>(chain.ctx, packet.offset) else {
        return Some(End::Unreadable);
    };
    if current == ROUTING && header[2] == 0 {
        return Some(End::TypeZero);
    }
    let bytes = match current {
        FRAGMENT => 8,
        AUTHENTICATION => (u32::from(header[1]) + 2) * 4,
        _ => (u32::from(header[1]) + 1) * 8,
    };
    if bytes > packet.left() {
        return Some(End::Unreadable);
    }
    packet.offset += bytes;
    let [next, _, high, low, ..] = header;
    chain.next = next.into();
    let is_later = current == FRAGMENT && enter_fragment(packet, u16::from_be_bytes([high, low]));
    if !is_extension(next) {
        packet.protocol = next;
    }
    (is_later || !is_extension(next)).then_some(End::Reached)
}

/// Notes what a fragment header says; whether it is that of a later fragment.
#[inline(always)]
fn enter_fragment(packet: &mut Packet, offset_and_flag: u16) -> bool {
    const OFFSET: u16 = 0xfff8;
    const MORE: u16 = 0x0001;
    if offset_and_flag & OFFSET != 0 {
        packet.fragment = Fragment::Later;
        return true;
    }
    if offset_and_flag & MORE != 0 {
        packet.fragment = Fragment::First;
    }
    false
}

#[inline(always)]
fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP
            | ROUTING
            | FRAGMENT
            | AUTHENTICATION
            | NO_NEXT_HEADER
            | DESTINATION_OPTIONS
            | MOBILITY
            | HIP
            | SHIM6
    )
}
