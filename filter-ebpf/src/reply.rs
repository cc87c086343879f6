//! Flows that this host began, known by the host's socket table.

use aya_ebpf::bindings::{bpf_sock, bpf_sock_tuple};
use aya_ebpf::helpers::generated::{bpf_sk_lookup_udp, bpf_sk_release, bpf_skc_lookup_tcp};
use aya_ebpf::programs::XdpContext;
use filter_common::generation::FAMILY_V4;
use filter_common::reason::Reason;

use crate::bytes::word;
use crate::packet::{Packet, Ports};
use crate::transport::{TCP, UDP};

const CURRENT_NETNS: u64 = u64::MAX;
const TUPLE_BYTES_V4: u32 = 12;
const TUPLE_BYTES_V6: u32 = 36;

const FLAG_SYN: u8 = 0x02;
const FLAG_ACK: u8 = 0x10;

// include/net/tcp_states.h
const STATE_ESTABLISHED: u32 = 1;
const STATE_SYN_RECV: u32 = 3;
const STATE_CLOSE: u32 = 7;
const STATE_LISTEN: u32 = 10;
const STATE_NEW_SYN_RECV: u32 = 12;

/// The reason to pass a packet of a flow that this host began.
#[inline(always)]
pub(crate) fn reply(ctx: &XdpContext, packet: &Packet) -> Option<Reason> {
    if packet.ports != Ports::Known {
        return None;
    }
    match packet.protocol {
        // A SYN begins a connection, and flags that were not read could be one.
        TCP if packet.tcp_flags == 0 || packet.tcp_flags & (FLAG_SYN | FLAG_ACK) == FLAG_SYN => {
            None
        }
        TCP => began_here(ctx, packet).then_some(Reason::ReplyTcp),
        UDP => has_connected_udp(ctx, packet).then_some(Reason::ReplyUdp),
        _ => None,
    }
}

/// Whether the packet belongs to a TCP connection that this host opened: a
/// socket that is no listener, on a port that nobody listens on.
#[inline(never)]
pub(crate) fn began_here(ctx: &XdpContext, packet: &Packet) -> bool {
    let is_connection = !matches!(
        tcp_state(ctx, packet, packet.source_port),
        None | Some(STATE_LISTEN | STATE_NEW_SYN_RECV | STATE_SYN_RECV | STATE_CLOSE)
    );
    // No connection has a remote port of 0: only a listener can be found.
    is_connection && tcp_state(ctx, packet, 0).is_none()
}

#[inline(always)]
fn tcp_state(ctx: &XdpContext, packet: &Packet, source_port: u16) -> Option<u32> {
    let (mut tuple, bytes) = tuple(packet, source_port);
    // SAFETY: the tuple is initialised and of the length given; the socket is
    // released on every path that has one.
    unsafe {
        let socket = bpf_skc_lookup_tcp(ctx.ctx.cast(), tuple.as_mut_ptr().cast(), bytes, CURRENT_NETNS, 0);
        if socket.is_null() {
            return None;
        }
        let state = (*socket).state;
        bpf_sk_release(socket.cast());
        Some(state)
    }
}

/// Whether a UDP socket is connected to the packet's source. A socket that is
/// merely bound says nothing about who began.
#[inline(never)]
pub(crate) fn has_connected_udp(ctx: &XdpContext, packet: &Packet) -> bool {
    let (mut tuple, bytes) = tuple(packet, packet.source_port);
    // SAFETY: as in `tcp_state`.
    unsafe {
        let socket = bpf_sk_lookup_udp(ctx.ctx.cast(), tuple.as_mut_ptr().cast(), bytes, CURRENT_NETNS, 0);
        if socket.is_null() {
            return false;
        }
        let connected = is_connected_to(socket, packet);
        bpf_sk_release(socket.cast());
        connected
    }
}

/// # Safety
///
/// The socket must be one that a lookup answered and that is not released yet.
#[inline(always)]
unsafe fn is_connected_to(socket: *const bpf_sock, packet: &Packet) -> bool {
    // SAFETY: by the caller.
    let (state, port) = unsafe { ((*socket).state, u16::from_be((*socket).dst_port)) };
    state == STATE_ESTABLISHED && port == packet.source_port && port != 0
}

/// A `bpf_sock_tuple` in network order.
type Tuple = [u32; size_of::<bpf_sock_tuple>() / 4];

/// What a look-up is for, and how many bytes of it count.
#[inline(always)]
fn tuple(packet: &Packet, source_port: u16) -> (Tuple, u32) {
    let ports = word(source_port.to_be(), packet.destination_port.to_be());
    let ([s, s1, s2, s3], [d, d1, d2, d3]) = (packet.source, packet.destination);
    if packet.family == FAMILY_V4 {
        // What follows the ports does not count, but must be something.
        ([s, d, ports, s1, s2, s3, d1, d2, d3], TUPLE_BYTES_V4)
    } else {
        ([s, s1, s2, s3, d, d1, d2, d3, ports], TUPLE_BYTES_V6)
    }
}
