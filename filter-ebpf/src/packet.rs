//! What is known of a packet, field by field.

use core::hint::black_box;

use aya_ebpf::bindings::xdp_md;
use aya_ebpf::btf_maps::PerCpuArray;
use aya_ebpf::helpers::generated::bpf_xdp_get_buff_len;
use aya_ebpf::macros::btf_map;
use aya_ebpf::programs::XdpContext;
use filter_common::address::Address;
use filter_common::generation::FAMILY_ANY;

use crate::judge::Finding;

/// Whether a packet's ports can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ports {
    /// Its protocol has none.
    None,
    /// They have been read.
    Known,
    /// It has some, and they cannot be read.
    Unknown,
}

/// Where a packet stands in a fragmented datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fragment {
    /// Not fragmented.
    Whole,
    /// The first fragment.
    First,
    /// A later one.
    Later,
}

/// What is known of a packet.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Packet {
    pub(crate) source: Address,
    pub(crate) destination: Address,
    pub(crate) ifindex: u32,
    /// Bytes of the whole frame.
    pub(crate) frame_bytes: u32,
    /// Where the next header starts.
    pub(crate) offset: u32,
    /// Where the IP packet ends; what is behind it is padding.
    pub(crate) end: u32,
    /// In host order; 0 unless `ports` is known.
    pub(crate) source_port: u16,
    /// In host order; 0 unless `ports` is known.
    pub(crate) destination_port: u16,
    /// 4, 6, or `FAMILY_ANY` while it is not known.
    pub(crate) family: u8,
    /// IP protocol number, 0 while it is not known.
    pub(crate) protocol: u8,
    /// TTL or hop limit.
    pub(crate) hop_limit: u8,
    /// ICMP type, once read.
    pub(crate) icmp_type: u8,
    /// ICMP code, once read.
    pub(crate) icmp_code: u8,
    /// TCP flags, 0 unless they have been read.
    pub(crate) tcp_flags: u8,
    pub(crate) vlan_tags: u8,
    /// Whether the destination is multicast or the limited broadcast address.
    pub(crate) to_group: bool,
    pub(crate) ports: Ports,
    pub(crate) fragment: Fragment,
    /// How the path ended, once it has.
    pub(crate) finding: Finding,
}

/// Room for what is known of the packet at hand, and of the one that an ICMP
/// error quotes. It lies in a map, not on the stack, so that the verifier
/// forgets on which path a field got its value and has one state to follow.
#[btf_map]
static PACKETS: PerCpuArray<Packet, 2> = PerCpuArray::new();

/// This CPU's room for a packet: 0 for the one at hand, 1 for the quoted one.
#[inline(always)]
pub(crate) fn room(index: u32) -> Option<&'static mut Packet> {
    // SAFETY: a value belongs to this CPU, the program does not interrupt
    // itself, and each of the two is asked for in one place alone.
    PACKETS.get_ptr_mut(index).map(|packet| unsafe { &mut *packet })
}

/// Bytes of the whole frame.
#[inline(always)]
fn frame_bytes(ctx: &XdpContext) -> u32 {
    // SAFETY: the context is the one the program was called with.
    let bytes = unsafe { bpf_xdp_get_buff_len(ctx.ctx.cast::<xdp_md>()) };
    bytes as u32
}

impl Packet {
    #[inline(always)]
    pub(crate) fn new(ctx: &XdpContext) -> Self {
        let frame_bytes = frame_bytes(ctx);
        // Opaque to the optimiser, which would call a loop over single bytes to
        // set many of them to one value.
        let (zero, other) = (black_box(0_u32), black_box(0_u32));
        Self {
            source: [zero; 4],
            destination: [zero; 4],
            ifindex: ctx.ingress_ifindex() as u32,
            frame_bytes,
            offset: 0,
            end: frame_bytes,
            source_port: zero as u16,
            destination_port: zero as u16,
            family: FAMILY_ANY,
            protocol: other as u8,
            hop_limit: zero as u8,
            icmp_type: other as u8,
            icmp_code: zero as u8,
            tcp_flags: other as u8,
            vlan_tags: zero as u8,
            to_group: false,
            ports: Ports::Unknown,
            fragment: Fragment::Whole,
            finding: Finding::NO_POLICY,
        }
    }

    /// Bytes of the IP packet from `offset` on.
    #[inline(always)]
    pub(crate) fn left(&self) -> u32 {
        self.end.saturating_sub(self.offset)
    }
}
