//! Flows that this host began, known by the host's socket table.

use core::hint::black_box;

use aya_ebpf::bindings::bpf_sock_tuple;
use aya_ebpf::helpers::generated::{bpf_sk_lookup_udp, bpf_sk_release, bpf_skc_lookup_tcp};
use aya_ebpf::programs::XdpContext;
use filter_common::generation::FAMILY_V4;
use filter_common::reason::Reason;

use crate::bytes::word;
use crate::packet::{Packet, Ports};
use crate::transport::{TCP, UDP, begins_connection};

const CURRENT_NETNS: u64 = u64::MAX;
const TUPLE_BYTES_V4: u32 = 12;
const TUPLE_BYTES_V6: u32 = 36;

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
        TCP if begins_connection(packet.tcp_flags) => None,
        TCP => began_here(ctx, packet).then_some(Reason::ReplyTcp),
        UDP => began_here_udp(ctx, packet).then_some(Reason::ReplyUdp),
        _ => None,
    }
}

/// Whether the packet belongs to a TCP connection that this host opened: a
/// socket that is no listener, on a port that nobody listens on.
#[inline(never)]
pub(crate) fn began_here(ctx: &XdpContext, packet: &Packet) -> bool {
    let mut tuple = Tuple::new(packet);
    let is_connection = !matches!(
        tuple.tcp_state(ctx, packet),
        None | Some(STATE_LISTEN | STATE_NEW_SYN_RECV | STATE_SYN_RECV | STATE_CLOSE)
    );
    // No connection has a remote port of 0: only a listener can be found.
    tuple.set_ports(packet, 0);
    is_connection && tuple.tcp_state(ctx, packet).is_none()
}

/// Whether the packet belongs to a UDP flow that this host began: a socket is
/// connected to its source, on a port at which no other one waits for anybody. A
/// server may have a socket for each client beside that one.
#[inline(never)]
pub(crate) fn began_here_udp(ctx: &XdpContext, packet: &Packet) -> bool {
    let mut tuple = Tuple::new(packet);
    let is_connected = tuple.has_udp_socket(ctx, packet, packet.source_port);
    // No socket is connected to port 0: only one that waits can be found.
    tuple.set_ports(packet, 0);
    is_connected && !tuple.has_udp_socket(ctx, packet, 0)
}

/// What a look-up is for: a `bpf_sock_tuple` in network order.
struct Tuple([u32; TUPLE_WORDS]);

const TUPLE_WORDS: usize = size_of::<bpf_sock_tuple>() / 4;

/// How many bytes of it count.
#[inline(always)]
fn tuple_bytes(packet: &Packet) -> u32 {
    if packet.family == FAMILY_V4 { TUPLE_BYTES_V4 } else { TUPLE_BYTES_V6 }
}

impl Tuple {
    #[inline(always)]
    fn new(packet: &Packet) -> Self {
        // Opaque to the optimiser, as in `Packet::new`.
        let mut tuple = Self([black_box(0); TUPLE_WORDS]);
        if packet.family == FAMILY_V4 {
            tuple.0[0] = packet.source[0];
            tuple.0[1] = packet.destination[0];
        } else {
            tuple.0[..4].copy_from_slice(&packet.source);
            tuple.0[4..8].copy_from_slice(&packet.destination);
        }
        tuple.set_ports(packet, packet.source_port);
        tuple
    }

    #[inline(always)]
    fn set_ports(&mut self, packet: &Packet, source_port: u16) {
        let ports = word(source_port.to_be(), packet.destination_port.to_be());
        self.0[if packet.family == FAMILY_V4 { 2 } else { 8 }] = ports;
    }

    #[inline(always)]
    fn tcp_state(&mut self, ctx: &XdpContext, packet: &Packet) -> Option<u32> {
        // SAFETY: as in `has_udp_socket`.
        unsafe {
            let (tuple, bytes) = (self.pointer(), tuple_bytes(packet));
            let socket = bpf_skc_lookup_tcp(ctx.ctx.cast(), tuple, bytes, CURRENT_NETNS, 0);
            if socket.is_null() {
                return None;
            }
            let state = (*socket).state;
            bpf_sk_release(socket.cast());
            Some(state)
        }
    }

    /// Whether a socket is there, connected to the port (0: to none).
    #[inline(always)]
    fn has_udp_socket(&mut self, ctx: &XdpContext, packet: &Packet, port: u16) -> bool {
        // SAFETY: the tuple is initialised and of the length given; the socket
        // is released on every path that has one.
        unsafe {
            let (tuple, bytes) = (self.pointer(), tuple_bytes(packet));
            let socket = bpf_sk_lookup_udp(ctx.ctx.cast(), tuple, bytes, CURRENT_NETNS, 0);
            if socket.is_null() {
                return false;
            }
            let (state, found) = ((*socket).state, u16::from_be((*socket).dst_port));
            bpf_sk_release(socket.cast());
            found == port && (state == STATE_ESTABLISHED) == (port != 0)
        }
    }

    #[inline(always)]
    fn pointer(&mut self) -> *mut bpf_sock_tuple {
        self.0.as_mut_ptr().cast()
    }
}
