//! Ports, TCP flags and ICMP types.

use aya_ebpf::programs::XdpContext;
use filter_common::generation::FAMILY_V4;
use filter_common::reason::Reason;

use crate::bytes::{load, read};
use crate::packet::{Fragment, Packet, Ports};

pub(crate) const ICMP: u8 = 1;
pub(crate) const IGMP: u8 = 2;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const DHCPV4_CLIENT: u16 = 68;
pub(crate) const DHCPV6_CLIENT: u16 = 546;
const DCCP: u8 = 33;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

const FLAG_SYN: u8 = 0x02;
const FLAG_ACK: u8 = 0x10;

const PORTS_BYTES: u32 = 4;
/// Of the two bytes that end with the flags.
const TCP_FLAGS_OFFSET: u32 = 12;

/// Reads what the transport header says, as far as it lies inside the packet.
/// IPv4's protocol 51 needs no walk: AH without IPsec reaches no port.
#[inline(always)]
pub(crate) fn parse(ctx: &XdpContext, packet: &mut Packet) -> Result<(), Reason> {
    match packet.protocol {
        TCP | UDP | SCTP | UDP_LITE | DCCP => parse_ports(ctx, packet),
        // Of a later fragment of IPv6, it is not known.
        0 if packet.family != FAMILY_V4 => Ok(()),
        _ => {
            packet.ports = Ports::None;
            parse_icmp(ctx, packet);
            Ok(())
        }
    }
}

#[inline(always)]
fn parse_ports(ctx: &XdpContext, packet: &mut Packet) -> Result<(), Reason> {
    if packet.fragment == Fragment::Later {
        return Ok(());
    }
    let ports =
        if packet.left() < PORTS_BYTES { None } else { read::<[u16; 2]>(ctx, packet.offset) };
    let Some(ports) = ports else {
        return match packet.fragment {
            Fragment::First => Err(Reason::TinyFragment),
            Fragment::Whole | Fragment::Later => Ok(()),
        };
    };
    packet.ports = Ports::Known;
    [packet.source_port, packet.destination_port] = ports.map(u16::from_be);
    if packet.protocol == TCP && packet.left() >= TCP_FLAGS_OFFSET + 2 {
        let flags = read::<[u16; 1]>(ctx, packet.offset + TCP_FLAGS_OFFSET);
        packet.tcp_flags = flags.map_or(0, |[flags]| flags.to_ne_bytes()[1]);
    }
    Ok(())
}

/// Whether a packet with these TCP flags begins a connection. Flags that were
/// not read (0) could be such.
#[inline(always)]
pub(crate) fn begins_connection(flags: u8) -> bool {
    flags == 0 || flags & (FLAG_SYN | FLAG_ACK) == FLAG_SYN
}

#[inline(always)]
fn parse_icmp(ctx: &XdpContext, packet: &mut Packet) {
    let is_icmp = packet.protocol == if packet.family == FAMILY_V4 { ICMP } else { ICMPV6 };
    if is_icmp
        && packet.fragment != Fragment::Later
        && packet.left() >= 8
        && let Some(header) = load::<[u8; 2]>(ctx, packet.offset)
    {
        packet.icmp_type = header[0];
        packet.icmp_code = header[1];
    }
}
