//! packets.md section 3: sources that nobody has, and embedded IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{AppRules, Expected, PORT, Reaches, Reason, Rules, Scenario, datagram, udp_socket};
use crate::frame::{Packet, Segment};
use crate::receiver::Receiver;
use crate::world::{HOST, LISTED, UNLISTED};

/// All of these rows.
pub fn scenarios() -> Vec<Scenario> {
    [nobody(), embedded(), somebody()].concat()
}

fn from(source: IpAddr, segment: Segment) -> Packet {
    let host = if source.is_ipv4() { HOST.v4().into() } else { HOST.v6().into() };
    Packet::new(source, host, segment)
}

/// An entry for everybody does not cover them.
fn nobody() -> Vec<Scenario> {
    const ROW: &str = "3 sources that nobody has";
    const LINUX: &str = "Linux takes nothing from such a source either";
    let rules = || Rules::of(AppRules::new(&["host"]).open());
    let sources = [
        ("0.0.0.0", Some(LINUX)),
        ("0.1.2.3", None),
        ("127.0.0.1", Some(LINUX)),
        ("127.255.255.254", Some(LINUX)),
        ("224.0.0.1", Some(LINUX)),
        ("239.255.255.255", Some(LINUX)),
        ("240.0.0.1", None),
        ("255.255.255.254", None),
        ("255.255.255.255", Some(LINUX)),
        ("::", None),
        ("::1", Some(LINUX)),
        ("ff02::1", Some(LINUX)),
        ("ff0e::1234", Some(LINUX)),
    ];
    sources
        .into_iter()
        .map(|(source, refused)| {
            let receiver = Receiver::Udp(PORT);
            Scenario::new(
                ROW,
                format!("UDP from {source}, everybody listed"),
                rules(),
                from(source.parse().expect("an address"), datagram(PORT)).frame(),
                Expected::drop(1, Reason::Martian),
                Reaches { receiver, linux_refuses: refused },
            )
        })
        .collect()
}

/// IPv4 addresses inside IPv6 ones are not asked of the IPv4 list.
fn embedded() -> Vec<Scenario> {
    const ROW: &str = "3 source ::ffff:a.b.c.d, ::a.b.c.d";
    let host_wide = Rules::host_wide();
    let open = Rules::of(AppRules::new(&["host"]).open());
    let mapped_entry = Rules::of(AppRules {
        list: vec![format!("::ffff:{}", LISTED.v4())],
        ..AppRules::new(&["host"])
    });
    let mut scenarios = Vec::new();
    for (word, v4) in [("listed", LISTED.v4()), ("unlisted", UNLISTED.v4())] {
        let compatible = Ipv6Addr::from(u128::from(u32::from(v4)));
        for (kind, source) in [("mapped", v4.to_ipv6_mapped()), ("compatible", compatible)] {
            for (list, rules) in [("its own list", &host_wide), ("everybody listed", &open)] {
                scenarios.push(Scenario::new(
                    ROW,
                    format!("UDP from {kind} {word}, {list}"),
                    rules.clone(),
                    from(source.into(), datagram(PORT)).frame(),
                    Expected::drop(1, Reason::Martian),
                    udp_socket(PORT),
                ));
            }
        }
        scenarios.push(Scenario::new(
            ROW,
            format!("UDP from mapped {word}, a mapped entry on the list"),
            mapped_entry.clone(),
            from(v4.to_ipv6_mapped().into(), datagram(PORT)).frame(),
            Expected::drop(1, Reason::Martian),
            udp_socket(PORT),
        ));
    }
    // In a list a mapped address means the IPv4 one.
    for (source, expected) in [
        (LISTED, Expected::pass(1, Reason::Listed)),
        (UNLISTED, Expected::drop(1, Reason::NotListed)),
    ] {
        scenarios.push(Scenario::new(
            ROW,
            format!("IPv4 from .{}, a mapped entry on the list", source.0),
            mapped_entry.clone(),
            from(source.v4().into(), datagram(PORT)).frame(),
            expected,
            udp_socket(PORT),
        ));
    }
    scenarios
}

/// Unusual sources that somebody has are asked of the list, and the two
/// families share no trie.
fn somebody() -> Vec<Scenario> {
    const ROW: &str = "3 the two families never share a trie";
    let only_v4 =
        Rules::of(AppRules { list: vec!["0.0.0.0/0".to_owned()], ..AppRules::new(&["host"]) });
    let only_v6 = Rules::of(AppRules { list: vec!["::/0".to_owned()], ..AppRules::new(&["host"]) });
    let cases: [(&str, &Rules, Expected); 10] = [
        ("1.0.0.1", &only_v4, Expected::pass(1, Reason::Listed)),
        ("1.0.0.1", &only_v6, Expected::drop(1, Reason::NotListed)),
        ("223.255.255.254", &only_v4, Expected::pass(1, Reason::Listed)),
        ("169.254.7.7", &only_v4, Expected::pass(1, Reason::Listed)),
        ("64:ff9b::a4d:a", &only_v6, Expected::pass(1, Reason::Listed)),
        ("64:ff9b::a4d:a", &only_v4, Expected::drop(1, Reason::NotListed)),
        ("2002:a4d:a::1", &only_v6, Expected::pass(1, Reason::Listed)),
        ("2002:a4d:a::1", &only_v4, Expected::drop(1, Reason::NotListed)),
        ("fe80::77", &only_v6, Expected::pass(1, Reason::Listed)),
        ("::1:0:0:1", &only_v4, Expected::drop(1, Reason::NotListed)),
    ];
    cases
        .into_iter()
        .map(|(source, rules, expected)| {
            let address: IpAddr = source.parse().expect("an address");
            Scenario::new(
                ROW,
                format!("UDP from {source}, listed {}", rules.apps[0].list.join(" ")),
                rules.clone(),
                from(address, datagram(PORT)).frame(),
                expected,
                udp_socket(PORT),
            )
        })
        .collect()
}

/// Used where a scenario needs an address that nobody answers for.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 200);
