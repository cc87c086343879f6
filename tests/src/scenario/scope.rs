//! packets.md section 1: which app holds a packet, and what passes before any
//! list.

use super::{
    AppRules, Expected, Mode, PORT, Reason, Rules, Scenario, alike, datagram, syn, tcp_copy, twins,
    udp_socket,
};
use crate::frame::link::tags;
use crate::frame::segment::{PROBE, Segment, protocol};
use crate::frame::{Packet, VLAN, icmp};
use crate::receiver::Receiver;
use crate::scenario::Reaches;
use crate::world::{
    FAIL_SAFE, Family, HOST, HOST_INTERFACE, HOST_SECOND, LISTED, OTHER_INTERFACE, Place,
    TRUSTED_HOP, UNLISTED,
};

/// All of this section.
pub fn scenarios() -> Vec<Scenario> {
    [specificity(), borders(), unscoped(), host_wide(), exceptions(), strictest()].concat()
}

fn to_host(source: Place, family: Family, segment: Segment) -> Packet {
    Packet::new(source.address(family), HOST.address(family), segment)
}

/// The narrower scope holds the packet, whatever app was made first.
fn specificity() -> Vec<Scenario> {
    const ROW: &str = "1 most specific scope";
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        let host = HOST.address(family);
        let network = match family {
            Family::V4 => "10.77.0.0/24",
            Family::V6 => "fd77::/64",
        };
        let pairs = [
            (format!("port=443,to={host}"), "port=443".to_owned()),
            ("port=443".to_owned(), format!("to={host}")),
            ("port=400-500".to_owned(), format!("protocol=tcp,to={host}")),
            (format!("to={host}"), "protocol=tcp".to_owned()),
            ("protocol=tcp".to_owned(), "host".to_owned()),
            (format!("port=443,to={host}"), format!("port=443,to={network}")),
            (format!("port=400-500,to={host}"), format!("port=443,to={network}")),
            (format!("to={host}"), format!("to={network}")),
            (format!("to={network}"), format!("protocol=tcp,interface={HOST_INTERFACE}")),
            ("port=443".to_owned(), "port=400-500".to_owned()),
            ("port=443".to_owned(), "port=443-444,protocol=tcp".to_owned()),
            ("port=443,protocol=tcp".to_owned(), "port=443".to_owned()),
            ("port=443,protocol=tcp".to_owned(), format!("port=443,interface={HOST_INTERFACE}")),
            (format!("port=443,interface={HOST_INTERFACE}"), "port=443".to_owned()),
            (format!("interface={HOST_INTERFACE}"), "host".to_owned()),
        ];
        for (narrow, wide) in pairs {
            let narrow_app = || AppRules::new(&[&narrow]).listing(&[LISTED]);
            let wide_app = || AppRules::new(&[&wide]).open();
            let name = format!("{narrow} before {wide}");
            scenarios.extend(twins(
                ROW,
                &name,
                &Rules::of(narrow_app()).and(wide_app()),
                &[family],
                |_| tcp_copy(),
                |source, family| to_host(source, family, syn(PORT)),
            ));
            for (source, expected) in [
                (LISTED, Expected::pass(2, Reason::Listed)),
                (UNLISTED, Expected::drop(2, Reason::NotListed)),
            ] {
                scenarios.push(Scenario::new(
                    ROW,
                    format!("{name}, made last, from .{}, {}", source.0, family.name()),
                    Rules::of(wide_app()).and(narrow_app()),
                    to_host(source, family, syn(PORT)).frame(),
                    expected,
                    tcp_copy(),
                ));
            }
        }
    }
    scenarios
}

fn borders() -> Vec<Scenario> {
    const ROW: &str = "1 an app has scopes";
    let rules = Rules::scoped(&["port=1000-2000,protocol=udp", "port=3000"]);
    let mut scenarios = Vec::new();
    for port in [1000, 1500, 2000, 3000] {
        scenarios.extend(twins(
            ROW,
            &format!("port {port} inside"),
            &rules,
            &Family::BOTH,
            |_| udp_socket(port),
            |source, family| to_host(source, family, datagram(port)),
        ));
    }
    for port in [999, 2001, 2999, 3001, 0] {
        scenarios.extend(alike(
            ROW,
            &format!("port {port} outside"),
            &rules,
            &Family::BOTH,
            Expected::pass(0, Reason::Unscoped),
            // Nobody can be bound to port 0, so a raw socket listens to all.
            |_| Reaches::at(Receiver::Raw(protocol::UDP)),
            |source, family| to_host(source, family, datagram(port)),
        ));
    }
    scenarios.extend(alike(
        ROW,
        "TCP at a port held for UDP",
        &rules,
        &Family::BOTH,
        Expected::pass(0, Reason::Unscoped),
        |_| tcp_copy(),
        |source, family| to_host(source, family, syn(1500)),
    ));
    scenarios
}

fn unscoped() -> Vec<Scenario> {
    const ROW: &str = "1 no scope holds it";
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        let rules = Rules::scoped(&[&format!("to={}", HOST.address(family))]);
        scenarios.extend(twins(
            ROW,
            "the scoped address",
            &rules,
            &[family],
            |_| tcp_copy(),
            |source, family| to_host(source, family, syn(PORT)),
        ));
        scenarios.extend(alike(
            ROW,
            "another address of the host",
            &rules,
            &[family],
            Expected::pass(0, Reason::Unscoped),
            |_| tcp_copy(),
            |source, family| {
                Packet::new(source.address(family), HOST_SECOND.address(family), syn(PORT))
            },
        ));
        let other = if family.is_v6() { Family::V4 } else { Family::V6 };
        scenarios.extend(alike(
            ROW,
            "an address of the other family is scoped",
            &Rules::scoped(&[&format!("to={}", HOST.address(other))]),
            &[family],
            Expected::pass(0, Reason::Unscoped),
            |_| tcp_copy(),
            |source, family| to_host(source, family, syn(PORT)),
        ));
    }
    for (name, interface) in
        [("another interface", OTHER_INTERFACE), ("an interface that is not there", "nosuch0")]
    {
        scenarios.extend(alike(
            ROW,
            &format!("the scope is of {name}"),
            &Rules::scoped(&[&format!("interface={interface}")]),
            &Family::BOTH,
            Expected::pass(0, Reason::Unscoped),
            |_| tcp_copy(),
            |source, family| to_host(source, family, syn(PORT)),
        ));
    }
    scenarios.extend(alike(
        ROW,
        "no app at all",
        &Rules { apps: Vec::new(), ..Rules::host_wide() },
        &Family::BOTH,
        Expected::pass(0, Reason::Unscoped),
        |_| tcp_copy(),
        |source, family| to_host(source, family, syn(PORT)),
    ));
    scenarios
}

fn host_wide() -> Vec<Scenario> {
    const ROW: &str = "1 a host-wide app leaves nothing unscoped";
    let rules = Rules::host_wide();
    let mut scenarios = Vec::new();
    scenarios.extend(twins(
        ROW,
        "TCP",
        &rules,
        &Family::BOTH,
        |_| tcp_copy(),
        |source, family| to_host(source, family, syn(PORT)),
    ));
    scenarios.extend(twins(
        ROW,
        "UDP",
        &rules,
        &Family::BOTH,
        |_| udp_socket(PORT),
        |source, family| to_host(source, family, datagram(PORT)),
    ));
    let ping = |family: Family| {
        Reaches::at(Receiver::Raw(if family.is_v6() { protocol::ICMPV6 } else { protocol::ICMP }))
    };
    scenarios.extend(twins(ROW, "echo request", &rules, &Family::BOTH, ping, |source, family| {
        to_host(source, family, icmp::echo_request(family.is_v6(), PROBE))
    }));
    for port in [0, 1, 22, 53, 123, 32768, 65535] {
        scenarios.extend(twins(
            ROW,
            &format!("UDP from port {port}"),
            &rules,
            &Family::BOTH,
            |_| udp_socket(PORT),
            |source, family| to_host(source, family, Segment::udp(port, PORT, PROBE)),
        ));
    }
    let empty = Rules::of(AppRules::new(&["host"]));
    scenarios.extend(alike(
        ROW,
        "an empty list admits nobody",
        &empty,
        &Family::BOTH,
        Expected::drop(1, Reason::NotListed),
        |_| udp_socket(PORT),
        |source, family| to_host(source, family, datagram(PORT)),
    ));
    scenarios
}

fn exceptions() -> Vec<Scenario> {
    const FAIL_SAFE_ROW: &str = "1 fail-safe sources";
    const HOP_ROW: &str = "1 trusted hops";
    let anywhere = Rules::host_wide().fail_safe(FAIL_SAFE, None);
    let one_port = Rules::host_wide().fail_safe(FAIL_SAFE, Some(22));
    let trusting = Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED]).trusting(TRUSTED_HOP))
        .and(AppRules::new(&["host"]));
    let cases: [(_, &str, &Rules, Place, u16, Expected); 7] = [
        (FAIL_SAFE_ROW, "any port", &anywhere, FAIL_SAFE, 443, Expected::pass(0, Reason::FailSafe)),
        (FAIL_SAFE_ROW, "its port", &one_port, FAIL_SAFE, 22, Expected::pass(0, Reason::FailSafe)),
        (
            FAIL_SAFE_ROW,
            "not its port",
            &one_port,
            FAIL_SAFE,
            443,
            Expected::drop(1, Reason::NotListed),
        ),
        (
            FAIL_SAFE_ROW,
            "its port, another source",
            &one_port,
            UNLISTED,
            22,
            Expected::drop(1, Reason::NotListed),
        ),
        (HOP_ROW, "its app", &trusting, TRUSTED_HOP, 443, Expected::pass(1, Reason::TrustedHop)),
        (HOP_ROW, "another app", &trusting, TRUSTED_HOP, 444, Expected::drop(2, Reason::NotListed)),
        (HOP_ROW, "another source", &trusting, UNLISTED, 443, Expected::drop(1, Reason::NotListed)),
    ];
    let mut scenarios = Vec::new();
    for (row, name, rules, source, port, expected) in cases {
        for family in Family::BOTH {
            scenarios.push(Scenario::new(
                row,
                format!("{row}: {name}, {}", family.name()),
                rules.clone(),
                to_host(source, family, datagram(port)).frame(),
                expected,
                udp_socket(port),
            ));
        }
    }
    scenarios
}

/// A reason found before the app is known takes the strictest mode among the
/// apps that could hold the packet.
fn strictest() -> Vec<Scenario> {
    const ROW: &str = "1 the strictest mode of those that could hold it";
    let rules = |https, http| {
        Rules::of(AppRules::new(&["port=443"]).listing(&[LISTED]).mode(https))
            .and(AppRules::new(&["port=80"]).listing(&[LISTED]).mode(http))
    };
    let cases = [
        (Mode::Enforce, Mode::Off, Expected::drop(0, Reason::PortsUnread)),
        (Mode::Off, Mode::Enforce, Expected::drop(0, Reason::PortsUnread)),
        (Mode::Observe, Mode::Enforce, Expected::drop(0, Reason::PortsUnread)),
        (Mode::Observe, Mode::Off, Expected::would_drop(0, Reason::PortsUnread)),
        (Mode::Observe, Mode::Observe, Expected::would_drop(0, Reason::PortsUnread)),
        (Mode::Off, Mode::Off, Expected::pass(0, Reason::ModeOff)),
    ];
    let mut scenarios = Vec::new();
    for (https, http, expected) in cases {
        let modes = format!("{} and {}", https.name(), http.name());
        for family in Family::BOTH {
            scenarios.push(Scenario::new(
                ROW,
                format!("{modes}, ports unread, {}", family.name()),
                rules(https, http),
                to_host(UNLISTED, family, syn(PORT).cut(3)).frame(),
                expected,
                tcp_copy(),
            ));
            // Here not even the source has been read.
            let refused = expected.reason == Reason::PortsUnread;
            let too_deep = Expected {
                reason: if refused { Reason::VlanDepth } else { expected.reason },
                ..expected
            };
            let packet = to_host(LISTED, family, datagram(PORT));
            scenarios.push(Scenario::new(
                ROW,
                format!("{modes}, five VLAN tags, {}", family.name()),
                rules(https, http),
                packet.tagged(tags(VLAN, 0, 5)).frame(),
                too_deep,
                udp_socket(PORT),
            ));
        }
    }
    let martian = |port: u16| {
        let source = std::net::Ipv4Addr::new(240, 0, 0, 1).into();
        Packet::new(source, HOST.v4().into(), datagram(port)).frame()
    };
    for (port, expected) in [
        (443, Expected::drop(1, Reason::Martian)),
        (80, Expected::would_drop(2, Reason::Martian)),
        (81, Expected::pass(0, Reason::Unscoped)),
    ] {
        scenarios.push(Scenario::new(
            ROW,
            format!("enforce and observe, martian to port {port}"),
            rules(Mode::Enforce, Mode::Observe),
            martian(port),
            expected,
            udp_socket(port),
        ));
    }
    scenarios
}
