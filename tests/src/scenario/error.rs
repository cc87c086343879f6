//! packets.md section 4: ICMP errors, which routers send, and routers are on
//! nobody's list.

use std::net::IpAddr;

use super::{AppRules, Expected, Mode, Reaches, Reason, Rules, Scenario, datagram};
use crate::frame::segment::{Segment, flags, protocol};
use crate::frame::{Packet, icmp};
use crate::receiver::Receiver;
use crate::world::flows::{CONNECTED_UDP, OPENED_TCP};
use crate::world::{Family, HOST, HOST_SECOND, LISTED, TRUSTED_HOP, UNLISTED};

const ROW: &str = "4 ICMP errors";

/// All of this row.
pub fn scenarios() -> Vec<Scenario> {
    Family::BOTH.into_iter().flat_map(of_family).collect()
}

fn of_family(family: Family) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    let listed = quote(family, HOST.address(family), LISTED.address(family), datagram(4444));
    for (kind, code, name) in kinds(family) {
        let refused = quote(family, HOST.address(family), UNLISTED.address(family), datagram(4444));
        scenarios.push(case(
            family,
            name,
            kind,
            code,
            &listed,
            Expected::pass(1, Reason::IcmpError),
        ));
        scenarios.push(case(
            family,
            &format!("{name} about a packet to nobody on the list"),
            kind,
            code,
            &refused,
            Expected::drop(1, Reason::NotListed),
        ));
    }
    let (kind, code, _) = kinds(family)[0];
    let refused = Expected::drop(1, Reason::NotListed);
    let ours = Expected::pass(1, Reason::IcmpError);
    for (name, quoted, expected) in quotes(family) {
        scenarios.push(case(
            family,
            name,
            kind,
            code,
            &quoted,
            if expected { ours } else { refused },
        ));
    }
    // Messages that are no errors get nothing for what they quote.
    let other: &[u8] = if family.is_v6() { &[5, 100, 127, 138] } else { &[4, 5, 10, 13, 17] };
    for kind in other {
        scenarios.push(case(family, &format!("type {kind}"), *kind, 0, &listed, refused));
    }
    scenarios.extend(from_listed(family));
    scenarios
}

fn kinds(family: Family) -> Vec<(u8, u8, &'static str)> {
    if family.is_v6() {
        vec![
            (2, 0, "packet too big"),
            (1, 0, "no route"),
            (1, 4, "port unreachable"),
            (3, 0, "hop limit exceeded"),
            (4, 1, "unknown next header"),
        ]
    } else {
        vec![
            (3, 4, "fragmentation needed"),
            (3, 0, "network unreachable"),
            (3, 3, "port unreachable"),
            (11, 0, "TTL exceeded"),
            (12, 0, "parameter problem"),
        ]
    }
}

/// Packets to quote, and whether this host could have sent them.
fn quotes(family: Family) -> Vec<(&'static str, Vec<u8>, bool)> {
    let host = HOST.address(family);
    let second = HOST_SECOND.address(family);
    let (listed, unlisted) = (LISTED.address(family), UNLISTED.address(family));
    let tcp = Segment::tcp(OPENED_TCP.local_port, OPENED_TCP.remote_port, flags::ACK, &[]);
    let wrong_port = Segment::tcp(OPENED_TCP.local_port, 7099, flags::ACK, &[]);
    let udp = Segment::udp(CONNECTED_UDP.local_port, CONNECTED_UDP.remote_port, b"query");
    let unbound = Segment::udp(CONNECTED_UDP.local_port, 99, b"query");
    let header = if family.is_v6() { 40 } else { 20 };
    let whole = quote(family, host, listed, datagram(4444));
    let wrong_version = {
        let mut bytes = whole.clone();
        bytes[0] = 0x75;
        bytes
    };
    vec![
        ("about another address of the host", quote(family, second, listed, datagram(4444)), false),
        (
            "about a packet that somebody else sent",
            quote(family, unlisted, listed, datagram(4444)),
            false,
        ),
        ("about a packet of a TCP connection of ours", quote(family, host, unlisted, tcp), true),
        (
            "about a TCP connection that does not exist",
            quote(family, host, unlisted, wrong_port),
            false,
        ),
        (
            "about a packet of a connected UDP socket of ours",
            quote(family, host, unlisted, udp),
            true,
        ),
        ("about a UDP flow that does not exist", quote(family, host, unlisted, unbound), false),
        ("about a header and nothing more", whole[..header].to_vec(), true),
        ("about a header that is cut short", whole[..header - 1].to_vec(), false),
        ("about nothing", Vec::new(), false),
        ("about a packet of another version", wrong_version, false),
    ]
}

fn quote(family: Family, source: IpAddr, destination: IpAddr, segment: Segment) -> Vec<u8> {
    let _ = family;
    Packet::new(source, destination, segment).ip()
}

fn case(
    family: Family,
    name: &str,
    kind: u8,
    code: u8,
    quoted: &[u8],
    expected: Expected,
) -> Scenario {
    let segment = icmp::error(family.is_v6(), kind, code, quoted);
    let packet = Packet::new(UNLISTED.address(family), HOST.address(family), segment);
    let name = format!("ICMP error: {name}, {}", family.name());
    Scenario::new(ROW, name, Rules::host_wide(), packet.frame(), expected, raw(family))
}

fn raw(family: Family) -> Reaches {
    let number = if family.is_v6() { protocol::ICMPV6 } else { protocol::ICMP };
    Reaches::at(Receiver::Raw(number))
}

/// What is quoted does not matter when the sender is on the list, nor why the
/// packets of the quoted flow pass: another app lists the peer, or refuses
/// nobody, or the peer is a fail-safe source.
fn from_listed(family: Family) -> Vec<Scenario> {
    let (kind, code, _) = kinds(family)[0];
    let host = HOST.address(family);
    let elsewhere = quote(family, host, UNLISTED.address(family), datagram(4444));
    let segment = icmp::error(family.is_v6(), kind, code, &elsewhere);
    let from_listed = Packet::new(LISTED.address(family), host, segment);
    let answer = quote(family, host, LISTED.address(family), Segment::udp(443, 45000, b"answer"));
    let segment = icmp::error(family.is_v6(), kind, code, &answer);
    let by_port = Packet::new(UNLISTED.address(family), host, segment);
    let rules =
        Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED])).and(AppRules::new(&["host"]));
    let answer = quote(family, host, UNLISTED.address(family), Segment::udp(443, 45000, b"answer"));
    let segment = icmp::error(family.is_v6(), kind, code, &answer);
    let of_unlisted = Packet::new(TRUSTED_HOP.address(family), host, segment);
    let enforced = Rules::of(AppRules::new(&["port=443"]).mode(Mode::Enforce))
        .and(AppRules::new(&["host"]).mode(Mode::Enforce));
    let mut scenarios = vec![
        Scenario::new(
            ROW,
            format!("ICMP error: the app of the quoted port refuses the peer, {}", family.name()),
            enforced.clone(),
            of_unlisted.frame(),
            Expected::drop(2, Reason::NotListed),
            raw(family),
        ),
        Scenario::new(
            ROW,
            format!("ICMP error: the peer is a fail-safe source, {}", family.name()),
            enforced.fail_safe(UNLISTED, Some(443)),
            of_unlisted.frame(),
            Expected::pass(2, Reason::IcmpError),
            raw(family),
        ),
    ];
    for mode in [Mode::Off, Mode::Observe] {
        let rules = Rules::of(AppRules::new(&["port=443"]).mode(mode))
            .and(AppRules::new(&["host"]).mode(Mode::Enforce));
        scenarios.push(Scenario::new(
            ROW,
            format!("ICMP error: the app of the quoted port is {mode:?}, {}", family.name()),
            rules,
            of_unlisted.frame(),
            Expected::pass(2, Reason::IcmpError),
            raw(family),
        ));
    }
    scenarios.extend([
        Scenario::new(
            ROW,
            format!("ICMP error: from a listed source about anything, {}", family.name()),
            Rules::host_wide(),
            from_listed.frame(),
            Expected::pass(1, Reason::Listed),
            raw(family),
        ),
        Scenario::new(
            ROW,
            format!("ICMP error: the app of the quoted port lists the peer, {}", family.name()),
            rules,
            by_port.frame(),
            Expected::pass(2, Reason::IcmpError),
            raw(family),
        ),
    ]);
    scenarios
}
