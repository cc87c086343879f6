//! packets.md section 3: IPv4 options and IPv6 extension headers.

use super::{
    AppRules, Expected, PORT, Reaches, Reason, Rules, Scenario, alike, datagram, syn, tcp_copy,
    twins, udp_socket,
};
use crate::frame::segment::protocol;
use crate::frame::{Extension, Packet};
use crate::receiver::Receiver;
use crate::world::{Family, HOST, LISTED, Place};

const V6: &[Family] = &[Family::V6];

/// Follows at most so many extension headers; see `filter-ebpf`.
const LONGEST_CHAIN: usize = 10;

/// All of these rows.
pub fn scenarios() -> Vec<Scenario> {
    [options(), chains(), kinds(), broken(), routing()].concat()
}

fn probe(source: Place, family: Family) -> Packet {
    Packet::new(source.address(family), HOST.address(family), datagram(PORT))
}

/// A guarded port, beside one that is open to everybody.
fn beside_an_open_port() -> Rules {
    Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED]))
        .and(AppRules::new(&["port=80"]).open())
}

/// Options whose bytes look like the ports of the open app, where a reader
/// that takes the header for 20 bytes would look.
fn options() -> Vec<Scenario> {
    let rules = beside_an_open_port();
    let mut scenarios = Vec::new();
    for ihl in 6..=15_usize {
        // A router alert would be looked at; an unknown, copied option is not.
        let mut forged = vec![0x1e, u8::try_from(ihl * 4 - 20).expect("at most 40")];
        while forged.len() < ihl * 4 - 20 {
            forged.extend([0x00, 0x50]);
        }
        for (name, segment, reaches) in
            [("UDP", datagram(PORT), udp_socket(PORT)), ("TCP", syn(PORT), tcp_copy())]
        {
            scenarios.extend(twins(
                "3 IPv4 with options",
                &format!("{name} behind IHL {ihl} with forged ports inside"),
                &rules,
                &[Family::V4],
                |_| reaches,
                |source, family| {
                    Packet::new(source.address(family), HOST.address(family), segment.clone())
                        .options(&forged)
                },
            ));
        }
    }
    scenarios.extend(twins(
        "3 IPv4 with options",
        "no-operation options",
        &Rules::host_wide(),
        &[Family::V4],
        |_| udp_socket(PORT),
        |source, family| probe(source, family).options(&[1; 40]),
    ));
    scenarios
}

fn chains() -> Vec<Scenario> {
    const ROW: &str = "3 IPv6 extension headers";
    let rules = beside_an_open_port();
    let chain = |length| vec![Extension::destination_options(); length];
    let mut scenarios = Vec::new();
    for length in 1..=LONGEST_CHAIN {
        scenarios.extend(twins(
            ROW,
            &format!("a chain of {length}"),
            &rules,
            V6,
            |_| udp_socket(PORT),
            |source, family| probe(source, family).extensions(chain(length)),
        ));
    }
    for length in [LONGEST_CHAIN + 1, 12, 16, 24, 32, 64, 100, 130] {
        scenarios.extend(alike(
            ROW,
            &format!("a chain of {length}, beyond the bound"),
            &rules,
            V6,
            Expected::drop(0, Reason::ExtHeaders),
            |_| udp_socket(PORT),
            |source, family| probe(source, family).extensions(chain(length)),
        ));
    }
    scenarios.extend(twins(
        ROW,
        "TCP behind a chain of 8",
        &rules,
        V6,
        |_| tcp_copy(),
        |source, family| {
            Packet::new(source.address(family), HOST.address(family), syn(PORT))
                .extensions(chain(8))
        },
    ));
    scenarios.extend(twins(
        ROW,
        "one header of 1,000 bytes",
        &rules,
        V6,
        |_| udp_socket(PORT),
        |source, family| {
            probe(source, family).extensions([Extension::long_destination_options(125)])
        },
    ));
    scenarios
}

fn kinds() -> Vec<Scenario> {
    const ROW: &str = "3 IPv6 extension headers";
    let rules = beside_an_open_port();
    let unknown = "Linux without the module hands the chain to raw sockets alone";
    let kinds = [
        ("hop-by-hop options", Extension::hop_by_hop(), udp_socket(PORT)),
        ("destination options", Extension::destination_options(), udp_socket(PORT)),
        (
            "a routing header of type 2, no segments left",
            Extension::routing(2, 0),
            udp_socket(PORT),
        ),
        (
            "a routing header of type 4, no segments left",
            Extension::routing(4, 0),
            Reaches::not_at(
                Receiver::Udp(PORT),
                "segment routing is off unless a setting turns it on",
            ),
        ),
        ("an atomic fragment header", Extension::fragment(0, false, 9), udp_socket(PORT)),
        (
            "an authentication header",
            Extension::authentication(),
            Reaches::not_at(Receiver::Udp(PORT), unknown),
        ),
        ("a mobility header", Extension::mobility(), Reaches::not_at(Receiver::Udp(PORT), unknown)),
        ("a HIP header", Extension::host_identity(), Reaches::not_at(Receiver::Udp(PORT), unknown)),
        ("a shim6 header", Extension::shim6(), Reaches::not_at(Receiver::Udp(PORT), unknown)),
    ];
    let mut scenarios = Vec::new();
    for (name, header, reaches) in kinds {
        scenarios.extend(twins(
            ROW,
            name,
            &rules,
            V6,
            |_| reaches,
            |source, family| probe(source, family).extensions([header.clone()]),
        ));
    }
    let all = || {
        [
            Extension::hop_by_hop(),
            Extension::destination_options(),
            Extension::routing(2, 0),
            Extension::fragment(0, false, 9),
            Extension::destination_options(),
        ]
    };
    scenarios.extend(twins(
        ROW,
        "the whole order of RFC 8200",
        &rules,
        V6,
        |_| udp_socket(PORT),
        |source, family| probe(source, family).extensions(all()),
    ));
    scenarios
}

fn broken() -> Vec<Scenario> {
    const ROW: &str = "3 IPv6 extension headers";
    let rules = beside_an_open_port();
    let refused = Expected::drop(0, Reason::ExtHeaders);
    let overrun = |_| Reaches::not_at(Receiver::Udp(PORT), "the header runs beyond the packet");
    let mut scenarios = Vec::new();
    for length in [5, 10, 100, 255] {
        scenarios.extend(alike(
            ROW,
            &format!("length byte {length} runs beyond the packet"),
            &rules,
            V6,
            refused,
            overrun,
            |source, family| {
                probe(source, family)
                    .extensions([Extension::destination_options().with_length_byte(length)])
            },
        ));
    }
    let nothing = || {
        Packet::new(
            LISTED.v6().into(),
            HOST.v6().into(),
            crate::frame::Segment::raw(59, b"12345678"),
        )
    };
    let raw = |_| Reaches::at(Receiver::Raw(59));
    scenarios.extend(alike(ROW, "no next header", &rules, V6, refused, raw, |source, family| {
        Packet::new(
            source.address(family),
            HOST.address(family),
            crate::frame::Segment::raw(59, crate::frame::segment::PROBE),
        )
    }));
    scenarios.extend(alike(
        ROW,
        "no next header behind destination options",
        &rules,
        V6,
        refused,
        raw,
        |source, family| {
            Packet::new(
                source.address(family),
                HOST.address(family),
                crate::frame::Segment::raw(59, crate::frame::segment::PROBE),
            )
            .extensions([Extension::destination_options()])
        },
    ));
    scenarios.extend(alike(
        ROW,
        "the packet ends inside a header",
        &rules,
        V6,
        refused,
        |_| Reaches::not_at(Receiver::Udp(PORT), "the header runs beyond the packet"),
        |source, family| {
            Packet::new(
                source.address(family),
                HOST.address(family),
                crate::frame::Segment::raw(60, &[protocol::UDP, 0, 1]),
            )
        },
    ));
    // Where no app could hold it, there is nothing to refuse.
    scenarios.push(Scenario::new(
        ROW,
        "no next header, to an address that no app holds",
        Rules::scoped(&["to=fd77::3"]),
        nothing().frame(),
        Expected::pass(0, Reason::Unscoped),
        raw(Family::V6),
    ));
    scenarios
}

fn routing() -> Vec<Scenario> {
    const ROW: &str = "3 IPv6 routing header type 0, jumbogram";
    let rules = beside_an_open_port();
    let mut scenarios = Vec::new();
    for segments_left in [0, 1] {
        let reaches = if segments_left == 0 {
            udp_socket(PORT)
        } else {
            Reaches::not_at(Receiver::Udp(PORT), "Linux processes no routing header of type 0")
        };
        scenarios.extend(alike(
            ROW,
            &format!("type 0, {segments_left} segments left"),
            &rules,
            V6,
            Expected::drop(0, Reason::RoutingHeader),
            |_| reaches,
            |source, family| {
                probe(source, family).extensions([Extension::routing(0, segments_left)])
            },
        ));
    }
    scenarios.extend(alike(
        ROW,
        "type 0 behind destination options",
        &rules,
        V6,
        Expected::drop(0, Reason::RoutingHeader),
        |_| udp_socket(PORT),
        |source, family| {
            probe(source, family)
                .extensions([Extension::destination_options(), Extension::routing(0, 0)])
        },
    ));
    scenarios.extend(alike(
        ROW,
        "jumbogram",
        &rules,
        V6,
        Expected::drop(0, Reason::Jumbogram),
        |_| Reaches::not_at(Receiver::Udp(PORT), "the jumbo length is that of no jumbogram"),
        |source, family| probe(source, family).extensions([Extension::jumbo(70_000)]).length(0),
    ));
    scenarios
}
