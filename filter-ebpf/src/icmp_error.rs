//! ICMP errors: routers are on nobody's list, and path MTU must work.

use aya_ebpf::programs::XdpContext;
use filter_common::address::is_inside;
use filter_common::generation::{AppRecord, FAMILY_V4, Generation};
use filter_common::reason::Reason;
use filter_common::verdict::Mode;

use crate::bytes::{load, load_into};
use crate::list::{ask_list, is_fail_safe, is_trusted_hop};
use crate::packet::{Fragment, Packet, Ports, room};
use crate::reply::{began_here, began_here_udp};
use crate::scope::{app_record, holder};
use crate::transport::{ICMP, ICMPV6, TCP, UDP};

const ICMP_HEADER_BYTES: u32 = 8;

/// Whether the packet is an ICMP error about a packet that this host could
/// have sent: the packet quoted inside came from the outer destination, and
/// went to somebody whose packets pass, or belongs to a flow of this host.
#[inline(always)]
pub(crate) fn is_answer(
    ctx: &XdpContext,
    generation: &Generation,
    app: u32,
    packet: &Packet,
) -> bool {
    is_error(packet) && quotes_ours(ctx, generation, app, packet)
}

/// Not inlined: it is off the usual path, and would crowd its stack frame.
#[inline(never)]
fn quotes_ours(ctx: &XdpContext, generation: &Generation, app: u32, packet: &Packet) -> bool {
    quoted(ctx, packet).is_some_and(|reverse| is_ours(ctx, generation, app, reverse))
}

#[inline(always)]
fn is_error(packet: &Packet) -> bool {
    match (packet.protocol, packet.icmp_type) {
        (ICMP, 3 | 11 | 12) => packet.family == FAMILY_V4,
        (ICMPV6, 1..=4) => packet.family != FAMILY_V4,
        _ => false,
    }
}

/// What an answer to the quoted packet would look like, if this host could have
/// sent it. Not inlined: headers are read on a stack of their own.
#[inline(never)]
fn quoted(ctx: &XdpContext, packet: &Packet) -> Option<&'static Packet> {
    let reverse = room(1)?;
    *reverse = *packet;
    reverse.offset += ICMP_HEADER_BYTES;
    if packet.family == FAMILY_V4 {
        read_v4(ctx, reverse)?;
    } else {
        read_v6(ctx, reverse)?;
    }
    if !is_inside(&reverse.destination, &packet.destination, &[u32::MAX; 4]) {
        return None;
    }
    if reverse.ports == Ports::Unknown && reverse.left() >= 4 {
        let [a, b, c, d]: [u8; 4] = load(ctx, reverse.offset)?;
        reverse.destination_port = u16::from_be_bytes([a, b]);
        reverse.source_port = u16::from_be_bytes([c, d]);
        reverse.ports = Ports::Known;
    }
    Some(reverse)
}

/// Reads the quoted IPv4 header; its sender is where answers go.
#[inline(always)]
fn read_v4(ctx: &XdpContext, reverse: &mut Packet) -> Option<()> {
    let [vihl, _, _, _, _, _, high, low, _, protocol]: [u8; 10] = load(ctx, reverse.offset)?;
    let header_bytes = u32::from(vihl & 0x0f) * 4;
    let fits = vihl >> 4 == 4
        && (20..=reverse.left()).contains(&header_bytes)
        && load_into(ctx, reverse.offset + 12, &mut reverse.destination[..1])
        && load_into(ctx, reverse.offset + 16, &mut reverse.source[..1]);
    reverse.offset += header_bytes;
    note_protocol(reverse, protocol, u16::from_be_bytes([high, low]) & 0x1fff != 0);
    fits.then_some(())
}

/// Reads the quoted IPv6 header. Extension headers are not followed: such a
/// quote counts by its addresses alone.
#[inline(always)]
fn read_v6(ctx: &XdpContext, reverse: &mut Packet) -> Option<()> {
    let [version, _, _, _, _, _, protocol, _]: [u8; 8] = load(ctx, reverse.offset)?;
    let fits = version >> 4 == 6
        && reverse.left() >= 40
        && load_into(ctx, reverse.offset + 8, &mut reverse.destination)
        && load_into(ctx, reverse.offset + 24, &mut reverse.source);
    reverse.offset += 40;
    note_protocol(reverse, protocol, false);
    fits.then_some(())
}

#[inline(always)]
fn note_protocol(reverse: &mut Packet, protocol: u8, later_fragment: bool) {
    reverse.protocol = protocol;
    reverse.fragment = if later_fragment { Fragment::Later } else { Fragment::Whole };
    let has_ports = matches!(protocol, TCP | UDP) && !later_fragment;
    reverse.ports = if has_ports { Ports::Unknown } else { Ports::None };
}

#[inline(always)]
fn is_ours(ctx: &XdpContext, generation: &Generation, app: u32, reverse: &Packet) -> bool {
    if admits(app_record(generation, app), reverse) || is_fail_safe(generation, reverse) {
        return true;
    }
    if reverse.ports != Ports::Known {
        return false;
    }
    if let Some(holder) = holder(generation, reverse)
        && holder.target != app
    {
        // Of the app itself it is told what would become of it, if it enforced.
        let other = app_record(generation, holder.target);
        if other.mode != Mode::Enforce as u32 || admits(other, reverse) {
            return true;
        }
    }
    if reverse.protocol == TCP { began_here(ctx, reverse) } else { began_here_udp(ctx, reverse) }
}

#[inline(always)]
fn admits(app: &AppRecord, reverse: &Packet) -> bool {
    ask_list(app, reverse) == Reason::Listed || is_trusted_hop(app, reverse)
}
