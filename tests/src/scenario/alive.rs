//! packets.md section 4: what a host needs to stay alive.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Expected, Reaches, Reason, Rules, Scenario, udp_socket};
use crate::frame::segment::{Segment, protocol};
use crate::frame::{Packet, icmp, service};
use crate::receiver::Receiver;
use crate::world::{HOST, LISTED, UNLISTED};

const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x66);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// All of this section but ICMP errors.
pub fn scenarios() -> Vec<Scenario> {
    [discovery(), listeners(), groups(), dhcp4(), dhcp6()].concat()
}

fn raw(number: u8) -> Reaches {
    Reaches::at(Receiver::Raw(number))
}

fn discovery() -> Vec<Scenario> {
    const ROW: &str = "4 neighbour and router discovery";
    let sources: [(&str, Ipv6Addr, Expected); 3] = [
        ("listed", LISTED.v6(), Expected::pass(1, Reason::Listed)),
        ("unlisted", UNLISTED.v6(), Expected::drop(1, Reason::NotListed)),
        ("unspecified", Ipv6Addr::UNSPECIFIED, Expected::drop(1, Reason::Martian)),
    ];
    let mut scenarios = Vec::new();
    for (kind, name) in [
        (133, "router solicitation"),
        (134, "router advertisement"),
        (135, "neighbour solicitation"),
        (136, "neighbour advertisement"),
        (137, "redirect"),
    ] {
        for (word, source, otherwise) in &sources {
            // A host without an address yet solicits, and does nothing else.
            let is_unheard_of = *word == "unspecified" && ![133, 135].contains(&kind);
            let pass = Expected::pass(0, Reason::NeighborDiscovery);
            for (special, hop_limit, code, expected) in [
                ("", 255, 0, if is_unheard_of { *otherwise } else { pass }),
                (", hop limit 254", 254, 0, *otherwise),
                (", hop limit 1", 1, 0, *otherwise),
                (", code 1", 255, 1, *otherwise),
            ] {
                let segment = icmp::discovery(kind, code, HOST.v6());
                let packet = Packet::new((*source).into(), HOST.v6().into(), segment);
                scenarios.push(Scenario::new(
                    ROW,
                    format!("{name}, {word}{special}"),
                    Rules::host_wide(),
                    packet.hop_limit(hop_limit).frame(),
                    expected,
                    raw(protocol::ICMPV6),
                ));
            }
        }
    }
    let forged = Packet::new(
        Ipv6Addr::LOCALHOST.into(),
        HOST.v6().into(),
        icmp::discovery(135, 0, HOST.v6()),
    );
    scenarios.push(Scenario::new(
        ROW,
        "neighbour solicitation from ::1",
        Rules::host_wide(),
        forged.hop_limit(255).frame(),
        Expected::drop(1, Reason::Martian),
        Reaches::not_at(Receiver::Raw(protocol::ICMPV6), "::1 is never on a wire"),
    ));
    scenarios
}

fn listeners() -> Vec<Scenario> {
    const ROW: &str = "4 MLD";
    let mut scenarios = Vec::new();
    for (kind, name) in [(130, "query"), (131, "report"), (132, "done"), (143, "report, version 2")]
    {
        let pass = Expected::pass(0, Reason::Mld);
        let refused = Expected::drop(1, Reason::NotListed);
        let martian = Expected::drop(1, Reason::Martian);
        for (special, source, hop_limit, expected) in [
            ("link-local", LINK_LOCAL, 1, pass),
            ("unspecified source", Ipv6Addr::UNSPECIFIED, 1, pass),
            ("hop limit 2", LINK_LOCAL, 2, refused),
            ("hop limit 255", LINK_LOCAL, 255, refused),
            ("a global source, unlisted", UNLISTED.v6(), 1, refused),
            ("a global source, listed", LISTED.v6(), 1, Expected::pass(1, Reason::Listed)),
            ("unspecified source, hop limit 2", Ipv6Addr::UNSPECIFIED, 2, martian),
        ] {
            let packet = Packet::new(
                source.into(),
                ALL_NODES.into(),
                icmp::listener_discovery(kind, ALL_NODES),
            );
            scenarios.push(Scenario::new(
                ROW,
                format!("MLD {name}, {special}"),
                Rules::host_wide(),
                packet.hop_limit(hop_limit).frame(),
                expected,
                raw(protocol::ICMPV6),
            ));
        }
    }
    scenarios
}

fn groups() -> Vec<Scenario> {
    const ROW: &str = "4 IGMP";
    let every: Ipv4Addr = [224, 0, 0, 1].into();
    let mut scenarios = Vec::new();
    for (kind, name) in [(0x11, "query"), (0x16, "report"), (0x17, "leave")] {
        for (special, source, destination, ttl, expected) in [
            ("unlisted", UNLISTED.v4(), every, 1, Expected::pass(0, Reason::Igmp)),
            ("listed", LISTED.v4(), every, 1, Expected::pass(0, Reason::Igmp)),
            ("TTL 2, unlisted", UNLISTED.v4(), every, 2, Expected::drop(1, Reason::NotListed)),
            ("TTL 2, listed", LISTED.v4(), every, 2, Expected::pass(1, Reason::Listed)),
            (
                "unicast, unlisted",
                UNLISTED.v4(),
                HOST.v4(),
                1,
                Expected::drop(1, Reason::NotListed),
            ),
            ("unicast, listed", LISTED.v4(), HOST.v4(), 1, Expected::pass(1, Reason::Listed)),
        ] {
            let packet = Packet::new(
                source.into(),
                destination.into(),
                icmp::igmp(kind, destination.octets()),
            );
            scenarios.push(Scenario::new(
                ROW,
                format!("IGMP {name}, {special}"),
                Rules::host_wide(),
                packet.hop_limit(ttl).frame(),
                expected,
                raw(protocol::IGMP),
            ));
        }
    }
    scenarios
}

fn dhcp4() -> Vec<Scenario> {
    const ROW: &str = "4 DHCPv4";
    let everybody: IpAddr = Ipv4Addr::BROADCAST.into();
    let refused = Expected::drop(1, Reason::NotListed);
    let pass = Expected::pass(0, Reason::Dhcp);
    let with = Rules::host_wide();
    let without = Rules::host_wide().without_dhcp();
    let cases: [(&str, &Rules, IpAddr, u16, u16, Expected); 8] = [
        ("from 67 to 68, broadcast", &with, everybody, 67, 68, pass),
        ("from 67 to 68, unicast", &with, HOST.v4().into(), 67, 68, pass),
        ("from 68 to 67", &with, everybody, 68, 67, refused),
        ("from 53 to 68", &with, everybody, 53, 68, refused),
        ("from 67 to 69", &with, everybody, 67, 69, refused),
        ("from 547 to 546", &with, HOST.v4().into(), 547, 546, refused),
        ("setting off, broadcast", &without, everybody, 67, 68, refused),
        ("setting off, unicast", &without, HOST.v4().into(), 67, 68, refused),
    ];
    dhcp(ROW, UNLISTED.v4().into(), &cases, service::dhcp4_answer)
}

fn dhcp6() -> Vec<Scenario> {
    const ROW: &str = "4 DHCPv6";
    let host: IpAddr = HOST.v6().into();
    let refused = Expected::drop(1, Reason::NotListed);
    let pass = Expected::pass(0, Reason::Dhcp);
    let with = Rules::host_wide();
    let without = Rules::host_wide().without_dhcp();
    let cases: [(&str, &Rules, IpAddr, u16, u16, Expected); 5] = [
        ("from 547 to 546", &with, host, 547, 546, pass),
        ("from 546 to 547", &with, host, 546, 547, refused),
        ("from 53 to 546", &with, host, 53, 546, refused),
        ("from 67 to 68", &with, host, 67, 68, refused),
        ("setting off", &without, host, 547, 546, refused),
    ];
    dhcp(ROW, LINK_LOCAL.into(), &cases, service::dhcp6_answer)
}

fn dhcp(
    row: &'static str,
    source: IpAddr,
    cases: &[(&str, &Rules, IpAddr, u16, u16, Expected)],
    answer: impl Fn(u16, u16) -> Segment,
) -> Vec<Scenario> {
    let scenario = |(name, rules, destination, from, to, expected): &(
        &str,
        &Rules,
        IpAddr,
        u16,
        u16,
        Expected,
    )| {
        Scenario::new(
            row,
            format!("{row} {name}"),
            (*rules).clone(),
            Packet::new(source, *destination, answer(*from, *to)).frame(),
            *expected,
            udp_socket(*to),
        )
    };
    cases.iter().map(scenario).collect()
}
