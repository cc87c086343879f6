//! How a packet's path ended: one closed enum for both sides.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal, $refuses:literal;)+) => {
        /// Why a packet passed or was refused. The numbers are part of the ABI.
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Reason {
            /// Every reason, in the order of their numbers.
            pub const ALL: [Self; [$($number),+].len()] = [$(Self::$name),+];

            /// How many reasons there are.
            #[expect(clippy::cast_possible_truncation, reason = "a constant far below 2^32")]
            pub const COUNT: u32 = Self::ALL.len() as u32;

            /// The name used in counters, drop events and documents.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What an operator needs to know about it, in one sentence.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// Whether the reason speaks against the packet.
            #[inline(always)]
            pub const fn refuses(self) -> bool {
                match self { $(Self::$name => $refuses,)+ }
            }
        }
    };
}

reasons! {
    /// No app's scope holds the packet.
    Unscoped = 0, "unscoped", false;
    /// The app that holds the packet is switched off.
    ModeOff = 1, "mode_off", false;
    /// The source is a fail-safe source of filterd.toml.
    FailSafe = 2, "fail_safe", false;
    /// The source is a trusted hop of the app.
    TrustedHop = 3, "trusted_hop", false;
    /// An entry of the app's access list covers the source.
    Listed = 4, "listed", false;
    /// ARP: without it a host is cut off when its neighbour cache ages.
    Arp = 5, "arp", false;
    /// Not IP: LLDP, spanning tree, EAPOL and the like.
    NonIp = 6, "non_ip", false;
    /// Neighbour or router discovery, hop limit 255 (RFC 4861).
    NeighborDiscovery = 7, "neighbor_discovery", false;
    /// Multicast listener discovery, link-local (RFC 2710, RFC 3810).
    Mld = 8, "mld", false;
    /// IGMP with a TTL of 1 (RFC 3376).
    Igmp = 9, "igmp", false;
    /// DHCP towards this host's client (RFC 2131, RFC 8415).
    Dhcp = 10, "dhcp", false;
    /// An ICMP error about a packet that this host could have sent.
    IcmpError = 11, "icmp_error", false;
    /// Part of a TCP connection that this host opened.
    ReplyTcp = 12, "reply_tcp", false;
    /// From the peer of a connected UDP socket of this host.
    ReplyUdp = 13, "reply_udp", false;
    /// A later fragment where some port is open to everybody.
    FragmentUncovered = 14, "fragment_uncovered", false;
    /// No entry of the app's access list covers the source.
    NotListed = 15, "not_listed", true;
    /// Every entry that covers the source has expired.
    Expired = 16, "expired", true;
    /// More than four VLAN tags.
    VlanDepth = 17, "vlan_depth", true;
    /// A header that is cut short or contradicts itself.
    Malformed = 18, "malformed", true;
    /// A first fragment too short to hold its ports.
    TinyFragment = 19, "tiny_fragment", true;
    /// A later fragment from a source that no app could admit.
    Fragment = 20, "fragment", true;
    /// IPv6 extension headers that cannot be followed to their end.
    ExtHeaders = 21, "ext_headers", true;
    /// An IPv6 routing header of type 0 (RFC 5095).
    RoutingHeader = 22, "routing_header", true;
    /// An IPv6 jumbogram (RFC 2675).
    Jumbogram = 23, "jumbogram", true;
    /// A source address that nobody has.
    Martian = 24, "martian", true;
    /// A transport header too short to hold its ports.
    PortsUnread = 25, "ports_unread", true;
    /// Not IP, and the host's settings refuse what is not IP.
    NonIpRefused = 26, "non_ip_refused", true;
    /// The kernel holds no generation to judge by.
    NoPolicy = 27, "no_policy", true;
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn numbers_are_positions() {
        for (position, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, position, "{}", reason.name());
        }
    }
}
