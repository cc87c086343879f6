//! packets.md section 5: replies to what the host itself began, told from
//! what the peer began. The flows are those of [`crate::world::flows`].

use super::{Expected, PORT, Reaches, Reason, Rules, Scenario, tcp_copy};
use crate::frame::segment::{PROBE, Segment, flags, protocol};
use crate::frame::{Extension, Packet};
use crate::receiver::Receiver;
use crate::world::flows::{
    ACCEPTED_TCP, BOUND_UDP, CONNECTED_UDP, CONNECTED_UDP_FIXED, Flow, HALF_OPEN_TCP,
    OPENED_BESIDE_LISTENER, OPENED_TCP, OPENING_TCP, SERVED_UDP,
};
use crate::world::{Family, HOST, LISTED};

/// All of this section.
pub fn scenarios() -> Vec<Scenario> {
    Family::BOTH.into_iter().flat_map(|family| [tcp(family), udp(family)].concat()).collect()
}

const REFUSED: fn() -> Expected = || Expected::drop(1, Reason::NotListed);

fn tcp(family: Family) -> Vec<Scenario> {
    const ROW: &str = "5 TCP";
    let reply = Expected::pass(1, Reason::ReplyTcp);
    let both = flags::SYN | flags::ACK;
    let data = flags::PSH | flags::ACK;
    let cases: [(&str, Flow, u8, Expected); 18] = [
        ("data of a connection that we opened", OPENED_TCP, data, reply),
        ("ACK of a connection that we opened", OPENED_TCP, flags::ACK, reply),
        ("FIN of a connection that we opened", OPENED_TCP, flags::FIN | flags::ACK, reply),
        ("RST of a connection that we opened", OPENED_TCP, flags::RST, reply),
        ("SYN on a connection that we opened", OPENED_TCP, flags::SYN, REFUSED()),
        (
            "SYN and FIN on a connection that we opened",
            OPENED_TCP,
            flags::SYN | flags::FIN,
            REFUSED(),
        ),
        ("no flags on a connection that we opened", OPENED_TCP, 0, REFUSED()),
        ("SYN-ACK to a connection that we are opening", OPENING_TCP, both, reply),
        ("RST to a connection that we are opening", OPENING_TCP, flags::RST | flags::ACK, reply),
        ("data of a connection that we accepted", ACCEPTED_TCP, data, REFUSED()),
        ("FIN of a connection that we accepted", ACCEPTED_TCP, flags::FIN | flags::ACK, REFUSED()),
        ("RST of a connection that we accepted", ACCEPTED_TCP, flags::RST, REFUSED()),
        ("ACK that completes a handshake with us", HALF_OPEN_TCP, flags::ACK, REFUSED()),
        (
            "data of a connection from a port that we listen on",
            OPENED_BESIDE_LISTENER,
            data,
            REFUSED(),
        ),
        (
            "SYN-ACK that nobody asked for",
            Flow { remote_port: 7098, ..OPENED_TCP },
            both,
            REFUSED(),
        ),
        (
            "ACK to a high port that nobody has",
            Flow { local_port: 50001, ..OPENED_TCP },
            flags::ACK,
            REFUSED(),
        ),
        ("ACK to a listener", Flow { remote_port: 45001, ..ACCEPTED_TCP }, flags::ACK, REFUSED()),
        (
            "data of our connection, from another source",
            Flow { remote: crate::world::Place(67), ..OPENED_TCP },
            data,
            REFUSED(),
        ),
    ];
    let mut scenarios: Vec<Scenario> = cases
        .into_iter()
        .map(|(name, flow, flags, expected)| {
            let segment = Segment::tcp(flow.remote_port, flow.local_port, flags, PROBE);
            case(ROW, family, name, flow, segment, expected, tcp_copy())
        })
        .collect();
    let cut = Segment::tcp(OPENED_TCP.remote_port, OPENED_TCP.local_port, flags::ACK, &[]).cut(12);
    scenarios.push(case(
        ROW,
        family,
        "flags that cannot be read",
        OPENED_TCP,
        cut,
        REFUSED(),
        tcp_copy(),
    ));
    // The list is asked first.
    let listed = Flow { remote: LISTED, ..OPENED_TCP };
    let segment = Segment::tcp(listed.remote_port, listed.local_port, flags::ACK, PROBE);
    let pass = Expected::pass(1, Reason::Listed);
    scenarios.push(case(
        ROW,
        family,
        "ACK from a listed source",
        listed,
        segment,
        pass,
        tcp_copy(),
    ));
    // The port of a reply is not one that an app guards, and still no scope.
    let mut unscoped = case(
        ROW,
        family,
        "data of our connection, where another port is scoped",
        OPENED_TCP,
        Segment::tcp(OPENED_TCP.remote_port, OPENED_TCP.local_port, flags::ACK, PROBE),
        Expected::pass(0, Reason::Unscoped),
        tcp_copy(),
    );
    unscoped.rules = Rules::scoped(&["port=443"]);
    scenarios.push(unscoped);
    if family.is_v6() {
        let segment =
            Segment::tcp(OPENED_TCP.remote_port, OPENED_TCP.local_port, flags::ACK, PROBE);
        let packet = Packet::new(OPENED_TCP.remote.v6().into(), HOST.v6().into(), segment)
            .extensions([Extension::destination_options()]);
        scenarios.push(Scenario::new(
            ROW,
            "data of our connection behind destination options",
            Rules::host_wide(),
            packet.frame(),
            reply,
            tcp_copy(),
        ));
    }
    scenarios
}

fn udp(family: Family) -> Vec<Scenario> {
    const ROW: &str = "5 UDP with a connected socket";
    let raw = Reaches::at(Receiver::Raw(protocol::UDP));
    let reply = Expected::pass(1, Reason::ReplyUdp);
    let cases: [(&str, Flow, Expected); 8] = [
        ("an answer to a connected socket", CONNECTED_UDP, reply),
        ("from another port of the peer", Flow { remote_port: 54, ..CONNECTED_UDP }, REFUSED()),
        ("from port 0 of the peer", Flow { remote_port: 0, ..CONNECTED_UDP }, REFUSED()),
        (
            "from another source",
            Flow { remote: crate::world::Place(67), ..CONNECTED_UDP },
            REFUSED(),
        ),
        ("to a socket that is merely bound", BOUND_UDP, REFUSED()),
        ("to a server's socket for this client alone", SERVED_UDP, REFUSED()),
        ("to a port that nobody has", Flow { local_port: 50002, ..CONNECTED_UDP }, REFUSED()),
        ("from port 53 to a service", Flow { local_port: PORT, ..CONNECTED_UDP }, REFUSED()),
    ];
    let datagram = |flow: Flow| Segment::udp(flow.remote_port, flow.local_port, PROBE);
    let mut scenarios: Vec<Scenario> = cases
        .into_iter()
        .map(|(name, flow, expected)| case(ROW, family, name, flow, datagram(flow), expected, raw))
        .collect();
    // Scopes that name ports: replies are looked for when the host opens
    // connections from one of them.
    for (name, flow, ports, expected) in [
        ("to a scope of its port", CONNECTED_UDP, "port=41005", reply),
        ("from a fixed port, to the whole host", CONNECTED_UDP_FIXED, "host", reply),
        (
            "from a fixed port, to a scope with others",
            CONNECTED_UDP_FIXED,
            "port=1000-40000",
            reply,
        ),
        ("from a fixed port, to its scope", CONNECTED_UDP_FIXED, "port=1000-1200", REFUSED()),
    ] {
        let mut scenario = case(ROW, family, name, flow, datagram(flow), expected, raw);
        scenario.rules = Rules::scoped(&[ports]);
        scenarios.push(scenario);
    }
    scenarios
}

fn case(
    row: &'static str,
    family: Family,
    name: &str,
    flow: Flow,
    segment: Segment,
    expected: Expected,
    reaches: Reaches,
) -> Scenario {
    let packet = Packet::new(flow.remote.address(family), HOST.address(family), segment);
    let name = format!("{row}: {name}, {}", family.name());
    Scenario::new(row, name, Rules::host_wide(), packet.frame(), expected, reaches)
}
