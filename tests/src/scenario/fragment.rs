//! packets.md section 3: fragments.

use super::{AppRules, Expected, Mode, PORT, Reaches, Reason, Rules, Scenario, udp_socket};
use crate::frame::segment::{PROBE, Segment, protocol};
use crate::frame::{Extension, Packet, icmp};
use crate::receiver::Receiver;
use crate::world::{Family, HOST, HOST_SECOND, LISTED, Place, UNLISTED};

const LATER: &str = "3 later fragment";

/// All of these rows.
pub fn scenarios() -> Vec<Scenario> {
    [first(), tiny(), later(), ported_later(), portless(), forged()].concat()
}

/// 8 bytes of UDP header, 40 of payload, with the probe in the second
/// fragment of 24 bytes.
fn long_datagram(source: Place, family: Family) -> Packet {
    let mut payload = vec![0; 16];
    payload.extend(PROBE);
    payload.extend([0; 8]);
    Packet::new(
        source.address(family),
        HOST.address(family),
        Segment::udp(super::EPHEMERAL, PORT, &payload),
    )
}

/// The first and the later fragment of it.
fn halves(source: Place, family: Family) -> [Vec<u8>; 2] {
    let packet = long_datagram(source, family);
    [packet.clone().fragment(0..24, true).frame(), packet.fragment(24..48, false).frame()]
}

fn scenario(
    row: &'static str,
    name: &str,
    rules: &Rules,
    source: Place,
    family: Family,
    later: bool,
    expected: Expected,
) -> Scenario {
    let [first, second] = halves(source, family);
    let (frame, companion) = if later { (second, first) } else { (first, second) };
    let name = format!("{name}, from .{}, {}", source.0, family.name());
    Scenario::new(row, name, rules.clone(), frame, expected, udp_socket(PORT))
        .with_companions(vec![companion])
}

fn first() -> Vec<Scenario> {
    const ROW: &str = "3 first fragment";
    let rules = Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED]))
        .and(AppRules::new(&["port=80"]).open());
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        for (source, expected) in [
            (LISTED, Expected::pass(1, Reason::Listed)),
            (UNLISTED, Expected::drop(1, Reason::NotListed)),
        ] {
            let name = "judged with its ports";
            scenarios.push(scenario(ROW, name, &rules, source, family, false, expected));
            // Eight bytes, the least that Linux takes, hold the ports of UDP.
            let packet = long_datagram(source, family);
            let rest = (8..48)
                .step_by(8)
                .map(|start| packet.clone().fragment(start..start + 8, start + 8 < 48).frame());
            scenarios.push(
                Scenario::new(
                    ROW,
                    format!("eight bytes long, from .{}, {}", source.0, family.name()),
                    rules.clone(),
                    packet.clone().fragment(0..8, true).frame(),
                    expected,
                    // The probe lies across fragments of eight bytes, and is
                    // whole again in the socket.
                    udp_socket(PORT),
                )
                .with_companions(rest.collect()),
            );
        }
    }
    scenarios
}

fn tiny() -> Vec<Scenario> {
    const ROW: &str = "3 first fragment too short for its ports";
    const WHY: &str = "a fragment that is not the last must be a multiple of eight bytes long";
    let rules = Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED]))
        .and(AppRules::new(&["port=80"]).open());
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        for source in [LISTED, UNLISTED] {
            for length in [0, 1, 3] {
                let packet = long_datagram(source, family);
                let first = packet.clone().fragment(0..length, true).fragment_id(0x7171);
                let rest = packet.fragment(8..48, false).fragment_id(0x7171);
                scenarios.push(
                    Scenario::new(
                        ROW,
                        format!("{length} bytes, from .{}, {}", source.0, family.name()),
                        rules.clone(),
                        first.frame(),
                        Expected::drop(0, Reason::TinyFragment),
                        Reaches::not_at(Receiver::Udp(PORT), WHY),
                    )
                    .with_companions(vec![rest.frame()]),
                );
            }
        }
    }
    // RFC 7112: the whole chain belongs in the first fragment.
    for source in [LISTED, UNLISTED] {
        let segment = Segment::raw(60, &[protocol::UDP, 1, 1, 12, 0, 0, 0, 0]);
        let packet = Packet::new(source.v6().into(), HOST.v6().into(), segment)
            .extensions([Extension::fragment(0, true, 0x7112)]);
        scenarios.push(Scenario::new(
            "3 IPv6 extension headers",
            format!("the first fragment ends inside the chain, from .{}", source.0),
            rules.clone(),
            packet.frame(),
            Expected::drop(0, Reason::ExtHeaders),
            Reaches::not_at(
                Receiver::Udp(PORT),
                "the first fragment must hold the whole chain (RFC 7112)",
            ),
        ));
    }
    scenarios
}

fn later() -> Vec<Scenario> {
    let listed = Expected::pass(1, Reason::Listed).off(1, Reason::Listed);
    let dropped = Expected::drop(1, Reason::Fragment).off(1, Reason::FragmentUncovered);
    let uncovered = Expected::pass(1, Reason::FragmentUncovered).off(1, Reason::FragmentUncovered);
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        let to_host = format!("to={}", HOST.address(family));
        let to_second = format!("to={}", HOST_SECOND.address(family));
        let halves_of_ports = AppRules::new(&["port=0-999", "port=1000-65535"]);
        let covering: [(&str, Rules); 5] = [
            ("host-wide", Rules::host_wide()),
            ("the protocol", Rules::scoped(&["protocol=udp"])),
            ("the destination", Rules::scoped(&[&to_host])),
            ("every port", Rules::of(halves_of_ports.listing(&[LISTED]))),
            (
                "the interface",
                Rules::scoped(&[&format!("interface={}", crate::world::HOST_INTERFACE)]),
            ),
        ];
        for (name, rules) in covering {
            let name = format!("{name} is covered");
            scenarios.push(scenario(LATER, &name, &rules, LISTED, family, true, listed));
            scenarios.push(scenario(LATER, &name, &rules, UNLISTED, family, true, dropped));
        }
        for (name, scope) in [
            ("one port", "port=443".to_owned()),
            ("all ports but one", "port=1-65535".to_owned()),
            ("one port of the destination", format!("port=443,{to_host}")),
        ] {
            let rules = Rules::scoped(&[&scope]);
            let name = format!("only {name} is covered");
            scenarios.push(scenario(LATER, &name, &rules, LISTED, family, true, listed));
            scenarios.push(scenario(LATER, &name, &rules, UNLISTED, family, true, uncovered));
        }
        for (name, scope) in
            [("another protocol", "protocol=tcp"), ("another destination", &to_second)]
        {
            let unscoped = Expected::pass(0, Reason::Unscoped);
            let rules = Rules::scoped(&[scope]);
            let name = format!("{name} is covered");
            scenarios.push(scenario(LATER, &name, &rules, LISTED, family, true, unscoped));
            scenarios.push(scenario(LATER, &name, &rules, UNLISTED, family, true, unscoped));
        }
        scenarios.extend(of_two_apps(family));
    }
    scenarios
}

/// Apps of several modes that together cover every port.
fn of_two_apps(family: Family) -> Vec<Scenario> {
    let rules = |https, rest| {
        Rules::of(AppRules::new(&["port=443"]).mode(https).listing(&[LISTED]))
            .and(AppRules::new(&["host"]).mode(rest))
    };
    let cases = [
        ("both enforce", Mode::Enforce, Mode::Enforce, Expected::drop(0, Reason::Fragment)),
        (
            "the rest observes",
            Mode::Enforce,
            Mode::Observe,
            Expected::would_drop(0, Reason::Fragment),
        ),
        ("the rest is off", Mode::Enforce, Mode::Off, Expected::pass(0, Reason::FragmentUncovered)),
        ("the port is off", Mode::Off, Mode::Enforce, Expected::pass(0, Reason::FragmentUncovered)),
    ];
    let mut scenarios = Vec::new();
    for (name, https, rest, expected) in cases {
        let name = format!("two apps, {name}");
        let rules = rules(https, rest);
        scenarios.push(scenario(LATER, &name, &rules, UNLISTED, family, true, expected));
        let listed = Expected::pass(1, Reason::Listed);
        scenarios.push(scenario(LATER, &name, &rules, LISTED, family, true, listed));
    }
    scenarios
}

/// Later fragments of every protocol that has ports.
fn ported_later() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    let numbers = [protocol::TCP, protocol::SCTP, protocol::UDP_LITE, protocol::DCCP];
    for (family, number) in Family::BOTH.into_iter().flat_map(|f| numbers.map(|n| (f, n))) {
        let mut bytes = vec![0; 24];
        bytes.extend(PROBE);
        for (source, expected) in [
            (LISTED, Expected::pass(1, Reason::Listed).off(1, Reason::Listed)),
            (UNLISTED, Expected::drop(1, Reason::Fragment).off(1, Reason::FragmentUncovered)),
        ] {
            let packet = Packet::new(
                source.address(family),
                HOST.address(family),
                Segment::raw(number, &bytes),
            );
            scenarios.push(
                Scenario::new(
                    LATER,
                    format!("protocol {number}, from .{}, {}", source.0, family.name()),
                    Rules::host_wide(),
                    packet.clone().fragment(24..40, false).frame(),
                    expected,
                    Reaches::at(Receiver::Raw(number)),
                )
                .with_companions(vec![packet.fragment(0..24, true).frame()]),
            );
        }
    }
    scenarios
}

/// Fragments of protocols without ports are judged like whole packets.
fn portless() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        let v6 = family.is_v6();
        let number = if v6 { protocol::ICMPV6 } else { protocol::ICMP };
        let mut payload = vec![0; 16];
        payload.extend(PROBE);
        for (source, expected) in [
            (LISTED, Expected::pass(1, Reason::Listed)),
            (UNLISTED, Expected::drop(1, Reason::NotListed)),
        ] {
            let packet = Packet::new(
                source.address(family),
                HOST.address(family),
                icmp::echo_request(v6, &payload),
            );
            let [first, second] = [
                packet.clone().fragment(0..24, true).frame(),
                packet.fragment(24..40, false).frame(),
            ];
            for (word, frame, companion) in
                [("first", first.clone(), second.clone()), ("later", second, first)]
            {
                scenarios.push(
                    Scenario::new(
                        "3 fragments of protocols without ports",
                        format!("{word} fragment of a ping, from .{}, {}", source.0, family.name()),
                        Rules::host_wide(),
                        frame,
                        expected,
                        Reaches::at(Receiver::Raw(number)),
                    )
                    .with_companions(vec![companion]),
                );
            }
        }
    }
    scenarios
}

/// Later fragments whose payload looks like the header of an open port.
fn forged() -> Vec<Scenario> {
    let rules = Rules::of(AppRules::new(&["host"]).listing(&[LISTED]))
        .and(AppRules::new(&["port=53,protocol=udp"]));
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        let mut payload = vec![0; 16];
        payload.extend([0x00, 0x35, 0x00, 0x35, 0, 24, 0, 0]);
        payload.extend(PROBE);
        let packet = |source: Place| {
            Packet::new(
                source.address(family),
                HOST.address(family),
                Segment::udp(super::EPHEMERAL, PORT, &payload),
            )
        };
        for (source, expected) in [
            (LISTED, Expected::pass(1, Reason::Listed).off(1, Reason::Listed)),
            (UNLISTED, Expected::drop(0, Reason::Fragment).off(0, Reason::FragmentUncovered)),
        ] {
            let packet = packet(source);
            let end = 8 + payload.len();
            scenarios.push(
                Scenario::new(
                    LATER,
                    format!("forged ports inside, from .{}, {}", source.0, family.name()),
                    rules.clone(),
                    packet.clone().fragment(24..end, false).frame(),
                    expected,
                    udp_socket(PORT),
                )
                .with_companions(vec![packet.fragment(0..24, true).frame()]),
            );
        }
    }
    scenarios
}
