//! packets.md section 3: protocols without ports, and ports that cannot be
//! read.

use super::{
    AppRules, EPHEMERAL, Expected, PORT, Reaches, Reason, Rules, Scenario, alike, syn, twins,
};
use crate::frame::segment::{PROBE, Segment, protocol};
use crate::frame::{IPV4, Packet, service};
use crate::receiver::Receiver;
use crate::world::{Family, HOST, LISTED, Place, UNLISTED};

/// All of these rows.
pub fn scenarios() -> Vec<Scenario> {
    [portless(), ported(), unread()].concat()
}

fn to_host(source: Place, family: Family, segment: Segment) -> Packet {
    Packet::new(source.address(family), HOST.address(family), segment)
}

fn inner() -> Vec<u8> {
    Packet::new(LISTED.v4().into(), HOST.v4().into(), super::datagram(PORT)).ip()
}

fn portless() -> Vec<Scenario> {
    const ROW: &str = "3 ESP, GRE, IPIP, OSPF, unknown protocols";
    // No raw socket takes what is of protocol 0.
    let zero = to_host(UNLISTED, Family::V4, Segment::raw(0, PROBE));
    let refused = Expected::drop(1, Reason::NotListed);
    let nowhere = Reaches::not_at(Receiver::Raw(protocol::UNKNOWN), "nobody asks for protocol 0");
    let segments = [
        ("ESP", service::esp(), "esp"),
        ("GRE", service::gre(IPV4, &inner()), "gre"),
        ("IPIP", Segment::raw(protocol::IPIP, &inner()), "ipip"),
        ("OSPF", service::ospf(), "ospf"),
        ("an unknown protocol", Segment::raw(protocol::UNKNOWN, PROBE), "253"),
    ];
    let name = "protocol 0 of IPv4";
    let mut scenarios =
        vec![Scenario::new(ROW, name, Rules::host_wide(), zero.frame(), refused, nowhere)];
    for (name, segment, scope) in segments {
        let raw = |_| Reaches::at(Receiver::Raw(segment.protocol));
        let packet = |source, family| to_host(source, family, segment.clone());
        for (scopes, word) in [
            (vec!["host".to_owned()], "host-wide"),
            (vec![format!("protocol={scope}")], "its protocol"),
            (vec![format!("to={}", HOST.v4()), format!("to={}", HOST.v6())], "its destination"),
        ] {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let name = format!("{name}, scope: {word}");
            scenarios.extend(twins(
                ROW,
                &name,
                &Rules::scoped(&scopes),
                &Family::BOTH,
                raw,
                packet,
            ));
        }
        scenarios.extend(alike(
            ROW,
            &format!("{name}, scope: a port"),
            &Rules::scoped(&["port=0-65535"]),
            &Family::BOTH,
            Expected::pass(0, Reason::Unscoped),
            raw,
            packet,
        ));
    }
    scenarios.extend(twins(
        "3 tunnels",
        "a listed source inside IPIP counts for nothing",
        &Rules::host_wide(),
        &[Family::V4],
        |_| Reaches::at(Receiver::Raw(protocol::IPIP)),
        |source, family| to_host(source, family, Segment::raw(protocol::IPIP, &inner())),
    ));
    scenarios
}

fn ported() -> Vec<Scenario> {
    let segments = [
        ("SCTP", Segment::sctp(EPHEMERAL, PORT), "sctp"),
        ("UDP-Lite", Segment::udp_lite(EPHEMERAL, PORT, PROBE), "udplite"),
        ("DCCP", Segment::dccp(EPHEMERAL, PORT), "dccp"),
    ];
    let mut scenarios = Vec::new();
    for (name, segment, protocol) in segments {
        let raw = |_| Reaches::at(Receiver::Raw(segment.protocol));
        let packet = |source, family| to_host(source, family, segment.clone());
        for scope in ["port=443".to_owned(), format!("port=443,protocol={protocol}")] {
            scenarios.extend(twins(
                "3 SCTP, UDP-Lite, DCCP have ports",
                &format!("{name}, scope {scope}"),
                &Rules::scoped(&[&scope]),
                &Family::BOTH,
                raw,
                packet,
            ));
        }
        scenarios.extend(alike(
            "3 SCTP, UDP-Lite, DCCP have ports",
            &format!("{name}, another port is scoped"),
            &Rules::scoped(&["port=444"]),
            &Family::BOTH,
            Expected::pass(0, Reason::Unscoped),
            raw,
            packet,
        ));
    }
    scenarios
}

/// Never passed because something is unknown.
fn unread() -> Vec<Scenario> {
    const ROW: &str = "3 ports that cannot be read";
    let beside_an_open_port = Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED]))
        .and(AppRules::new(&["port=80"]).open());
    let mut scenarios = Vec::new();
    for (name, segment) in [
        ("TCP", syn(80)),
        ("UDP", super::datagram(80)),
        ("SCTP", Segment::sctp(EPHEMERAL, 80)),
        ("UDP-Lite", Segment::udp_lite(EPHEMERAL, 80, PROBE)),
        ("DCCP", Segment::dccp(EPHEMERAL, 80)),
    ] {
        for length in [0, 1, 3] {
            for family in Family::BOTH {
                // A raw socket of the protocol sees a header of any length.
                let reaches = Reaches::at(Receiver::Raw(segment.protocol));
                for (source, expected) in [
                    (LISTED, Expected::pass(1, Reason::Listed).off(1, Reason::Listed)),
                    (UNLISTED, Expected::drop(0, Reason::PortsUnread).off(2, Reason::Listed)),
                ] {
                    scenarios.push(Scenario::new(
                        ROW,
                        format!("{name} of {length} bytes from .{}, {}", source.0, family.name()),
                        beside_an_open_port.clone(),
                        to_host(source, family, segment.clone().cut(length)).frame(),
                        expected,
                        reaches,
                    ));
                }
            }
        }
    }
    scenarios
}
