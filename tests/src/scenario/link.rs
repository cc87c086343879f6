//! packets.md section 2: layer 2.

use std::net::IpAddr;

use super::{
    Expected, PORT, Reaches, Reason, Rules, Scenario, alike, datagram, syn, tcp_copy, twins,
    udp_socket,
};
use crate::frame::link::{self, Tag, tags};
use crate::frame::{ARP, IPV4, IPV6, Packet, SERVICE_VLAN, VLAN};
use crate::receiver::{GROUP_V4, GROUP_V6, Receiver};
use crate::world::{BROADCAST_MAC, Family, HOST, LISTED, Place, UNLISTED};

/// All of this section.
pub fn scenarios() -> Vec<Scenario> {
    [arp(), non_ip(), vlan(), stations(), truncated()].concat()
}

fn probe(source: Place, family: Family) -> Packet {
    Packet::new(source.address(family), HOST.address(family), datagram(PORT))
}

fn arp() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for (source, word) in [(LISTED, "listed"), (UNLISTED, "unlisted")] {
        let frames = [
            ("request", link::arp(1, source.v4(), HOST.v4(), &[])),
            ("answer", link::arp(2, source.v4(), HOST.v4(), &[])),
            ("announcement", link::arp(1, source.v4(), source.v4(), &[])),
            ("probe", link::arp(1, [0, 0, 0, 0].into(), source.v4(), &[])),
            (
                "request behind a priority tag",
                link::arp(1, source.v4(), HOST.v4(), &tags(VLAN, 0, 1)),
            ),
            ("shorter than an ARP packet", link::ethernet(BROADCAST_MAC, &[], ARP, &[0, 1, 8, 0])),
        ];
        for (name, frame) in frames {
            scenarios.push(Scenario::new(
                "2 ARP",
                format!("ARP {name}, {word}"),
                Rules::host_wide().without_non_ip(),
                frame,
                Expected::pass(0, Reason::Arp),
                Reaches::at(Receiver::Packet),
            ));
        }
    }
    scenarios
}

fn non_ip() -> Vec<Scenario> {
    const ROW: &str = "2 other non-IP ethertypes";
    let inner = probe(UNLISTED, Family::V4);
    let frames = [
        ("LLDP", link::lldp()),
        ("spanning tree", link::spanning_tree()),
        ("EAPOL", link::eapol()),
        ("IPv4 behind SNAP", link::snap(IPV4, &inner.ip())),
        ("IPv4 in PPPoE", link::pppoe_session(&inner.ip())),
        ("IPv4 behind MPLS", link::mpls(&inner.ip())),
        ("IPv4 behind an old 0x9100 tag", {
            let tag = Tag { ethertype: 0x9100, vid: 0 };
            probe(UNLISTED, Family::V4).tagged(vec![tag]).frame()
        }),
        ("LLDP behind a priority tag", {
            let untagged = link::lldp();
            link::ethernet(BROADCAST_MAC, &tags(VLAN, 0, 1), 0x88cc, &untagged[14..])
        }),
    ];
    let mut scenarios = Vec::new();
    for (name, frame) in frames {
        scenarios.push(Scenario::new(
            ROW,
            name,
            Rules::host_wide(),
            frame.clone(),
            Expected::pass(0, Reason::NonIp),
            Reaches::at(Receiver::Packet),
        ));
        scenarios.push(Scenario::new(
            ROW,
            format!("{name}, setting: drop"),
            Rules::host_wide().without_non_ip(),
            frame,
            Expected::drop(1, Reason::NonIpRefused),
            Reaches::at(Receiver::Packet),
        ));
    }
    scenarios
}

fn vlan() -> Vec<Scenario> {
    const ROW: &str = "2 VLAN tags";
    let rules = Rules::host_wide();
    let mut scenarios = Vec::new();
    for ethertype in [VLAN, SERVICE_VLAN] {
        for depth in 1..=4 {
            scenarios.extend(twins(
                ROW,
                &format!("{depth} tags 0x{ethertype:04x} of VID 0"),
                &rules,
                &Family::BOTH,
                |_| udp_socket(PORT),
                |source, family| probe(source, family).tagged(tags(ethertype, 0, depth)),
            ));
        }
        scenarios.extend(twins(
            ROW,
            &format!("a tag 0x{ethertype:04x} of VID 5"),
            &rules,
            &Family::BOTH,
            |_| Reaches::not_at(Receiver::Udp(PORT), "no device of this VLAN exists"),
            |source, family| probe(source, family).tagged(tags(ethertype, 5, 1)),
        ));
        for depth in [5, 6, 8, 24] {
            scenarios.extend(alike(
                "2 deeper than four tags",
                &format!("{depth} tags 0x{ethertype:04x} of VID 0"),
                &rules,
                &Family::BOTH,
                Expected::drop(1, Reason::VlanDepth),
                |_| udp_socket(PORT),
                |source, family| probe(source, family).tagged(tags(ethertype, 0, depth)),
            ));
        }
    }
    let mixed = [VLAN, SERVICE_VLAN, VLAN].map(|ethertype| Tag { ethertype, vid: 0 });
    scenarios.extend(twins(
        ROW,
        "tags of both kinds",
        &rules,
        &Family::BOTH,
        |_| udp_socket(PORT),
        |source, family| probe(source, family).tagged(mixed.to_vec()),
    ));
    scenarios.extend(twins(
        ROW,
        "TCP behind a priority tag",
        &rules,
        &Family::BOTH,
        |_| tcp_copy(),
        |source, family| {
            Packet::new(source.address(family), HOST.address(family), syn(PORT))
                .tagged(tags(VLAN, 0, 1))
        },
    ));
    scenarios
}

fn stations() -> Vec<Scenario> {
    let rules = Rules::host_wide();
    let mut scenarios = Vec::new();
    for (name, mac) in [
        ("a broadcast frame", BROADCAST_MAC),
        ("a multicast frame", [0x01, 0x00, 0x5e, 0, 0, 0xfb]),
    ] {
        scenarios.extend(twins(
            "2 IP in a broadcast or multicast frame",
            &format!("unicast IP in {name}"),
            &rules,
            &Family::BOTH,
            |_| udp_socket(PORT),
            |source, family| probe(source, family).to_mac(mac),
        ));
    }
    scenarios.extend(twins(
        "2 IP in a broadcast or multicast frame",
        "a frame for another station",
        &rules,
        &Family::BOTH,
        |_| Reaches::not_at(Receiver::Udp(PORT), "the frame is for another station"),
        |source, family| probe(source, family).to_mac([0x02, 0x77, 0, 0, 0, 0x77]),
    ));
    // Any scope whose protocol and port fit holds what is sent to a group.
    for (name, v4, v6) in [
        ("the multicast group", IpAddr::V4(GROUP_V4), Some(IpAddr::V6(GROUP_V6))),
        ("everybody", [255, 255, 255, 255].into(), None),
        ("the network's broadcast address", [10, 77, 0, 255].into(), None),
    ] {
        for (family, destination) in [(Family::V4, Some(v4)), (Family::V6, v6)] {
            let Some(destination) = destination else { continue };
            for scope in [
                "port=443,protocol=udp".to_owned(),
                format!("port=443,to={}", HOST.address(family)),
            ] {
                scenarios.extend(twins(
                    "3 multicast and broadcast destinations",
                    &format!("to {name}, scope {scope}"),
                    &Rules::scoped(&[&scope]),
                    &[family],
                    |_| udp_socket(PORT),
                    |source, family| {
                        Packet::new(source.address(family), destination, datagram(PORT))
                    },
                ));
            }
            scenarios.extend(alike(
                "3 multicast and broadcast destinations",
                &format!("to {name}, another port is scoped"),
                &Rules::scoped(&[&format!("port=444,to={}", HOST.address(family))]),
                &[family],
                Expected::pass(0, Reason::Unscoped),
                |_| udp_socket(PORT),
                |source, family| Packet::new(source.address(family), destination, datagram(PORT)),
            ));
        }
    }
    scenarios
}

fn truncated() -> Vec<Scenario> {
    const ROW: &str = "2 truncated Ethernet or IP header";
    const WHY: &str = "Linux checks the lengths of the IP header itself";
    let rules = Rules::host_wide();
    let malformed = Expected::drop(1, Reason::Malformed);
    let nowhere = |_| Reaches::not_at(Receiver::Raw(17), WHY);
    let mut scenarios = Vec::new();
    for family in Family::BOTH {
        let header = if family.is_v6() { 40 } else { 20 };
        for cut in [14, 15, 20, 14 + header - 1, 14 + header + 3] {
            scenarios.extend(alike(
                ROW,
                &format!("the frame ends after {cut} bytes"),
                &rules,
                &[family],
                malformed,
                nowhere,
                |source, family| probe(source, family).cut(cut),
            ));
        }
    }
    for length in [1, 2, 3] {
        scenarios.extend(alike(
            ROW,
            &format!("the frame ends {length} bytes into a VLAN tag"),
            &rules,
            &Family::BOTH,
            malformed,
            nowhere,
            |source, family| probe(source, family).tagged(tags(VLAN, 0, 1)).cut(14 + length),
        ));
    }
    for version in [0, 4, 5, 6, 15] {
        for family in Family::BOTH {
            let right = if family.is_v6() { 6 } else { 4 };
            if version == right {
                continue;
            }
            scenarios.extend(alike(
                ROW,
                &format!("IP version {version}"),
                &rules,
                &[family],
                malformed,
                nowhere,
                |source, family| probe(source, family).version(version),
            ));
        }
    }
    for ihl in 0..5 {
        scenarios.extend(alike(
            ROW,
            &format!("IHL {ihl}"),
            &rules,
            &[Family::V4],
            malformed,
            nowhere,
            |source, family| probe(source, family).ihl(ihl),
        ));
    }
    // 20 bytes of IP, 8 of UDP, 16 of payload.
    for length in [0, 1, 19, 45, 100, 1500, 65535] {
        scenarios.extend(alike(
            ROW,
            &format!("total length {length} of 44"),
            &rules,
            &[Family::V4],
            malformed,
            nowhere,
            |source, family| probe(source, family).length(length),
        ));
    }
    for length in [25, 100, 1500, 65535] {
        scenarios.extend(alike(
            ROW,
            &format!("payload length {length} of 24"),
            &rules,
            &[Family::V6],
            malformed,
            nowhere,
            |source, family| probe(source, family).length(length),
        ));
    }
    scenarios.extend(alike(
        ROW,
        "IHL 15 where only 5 words are there",
        &rules,
        &[Family::V4],
        malformed,
        nowhere,
        |source, family| probe(source, family).ihl(15),
    ));
    scenarios.extend(twins(
        ROW,
        "padding behind the packet",
        &rules,
        &Family::BOTH,
        |_| udp_socket(PORT),
        |source, family| probe(source, family).padding(30),
    ));
    for (name, ethertype, family) in [
        ("IPv6 under IPv4's ethertype", IPV4, Family::V6),
        ("IPv4 under IPv6's ethertype", IPV6, Family::V4),
    ] {
        scenarios.extend(alike(
            ROW,
            name,
            &rules,
            &[family],
            malformed,
            nowhere,
            |source, family| probe(source, family).ethertype(ethertype),
        ));
    }
    scenarios
}
