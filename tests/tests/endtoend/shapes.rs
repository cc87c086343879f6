//! From an unlisted source, no shape of packet is delivered to a protected
//! port. Each shape is first sent from a source that the list admits by a
//! filter that only observes, so that it is known to arrive at all.

use std::net::IpAddr;

use filter_tests::frame::link::tags;
use filter_tests::frame::segment::{PROBE, Segment};
use filter_tests::frame::{Extension, Packet, SERVICE_VLAN, VLAN};
use filter_tests::receiver::Receiver;
use filter_tests::scenario::{AppRules, Mode, PORT, Rules, datagram};
use filter_tests::wire::Wire;
use filter_tests::world::{BROADCAST_MAC, Family, HOST, LISTED, UNLISTED};

use super::stage::Stage;

/// Frames that together carry one datagram with the probe in it.
struct Shape {
    name: String,
    frames: Vec<Vec<u8>>,
}

#[test]
fn no_shape_of_packet_gets_an_unlisted_source_in() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let wire = Wire::new(&stage.world).expect("sockets open");
    let rules = Rules::of(AppRules::new(&["host"]).listing(&[LISTED]));
    let shapes = shapes();
    for (mode, delivered) in [(Mode::Observe, true), (Mode::Enforce, false)] {
        control.install(&rules, mode);
        for shape in &shapes {
            let frames: Vec<&[u8]> = shape.frames.iter().map(Vec::as_slice).collect();
            let arrives = wire.delivers_frames(&frames, Receiver::Udp(PORT), PROBE);
            let arrives = arrives.expect("the wire works");
            assert_eq!(arrives, delivered, "{} [{}]", shape.name, mode.name());
        }
    }
    println!("{} shapes", shapes.len());
}

fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for family in Family::BOTH {
        let source = UNLISTED.address(family);
        shapes.extend(one(format!("plain {}", family.name()), probe(source)));
        for ethertype in [VLAN, SERVICE_VLAN] {
            for depth in 1..=8 {
                let packet = probe(source).tagged(tags(ethertype, 0, depth));
                shapes
                    .extend(one(format!("{depth} tags {ethertype:#x} {}", family.name()), packet));
            }
        }
        let packet = probe(source).to_mac(BROADCAST_MAC);
        shapes.extend(one(format!("broadcast frame {}", family.name()), packet));
        for port in [0, 1, 20, 22, 53, 67, 123, 443, 547, 1024, 32768, 65535] {
            let segment = Segment::udp(port, PORT, PROBE);
            let packet = Packet::new(source, HOST.address(family), segment);
            shapes.extend(one(format!("source port {port} {}", family.name()), packet));
        }
        shapes.extend(fragments(family));
    }
    for words in 1..=10 {
        let packet = probe(UNLISTED.v4().into()).options(&vec![1; words * 4]);
        shapes.extend(one(format!("IHL {}", words + 5), packet));
    }
    for length in 1..=100 {
        let chain = vec![Extension::destination_options(); length];
        let packet = probe(UNLISTED.v6().into()).extensions(chain);
        shapes.extend(one(format!("a chain of {length}"), packet));
    }
    for v4 in [LISTED.v4(), UNLISTED.v4(), [127, 0, 0, 1].into()] {
        let packet = probe(v4.to_ipv6_mapped().into());
        shapes.extend(one(format!("from ::ffff:{v4}"), packet));
    }
    shapes
}

fn probe(source: IpAddr) -> Packet {
    let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
    Packet::new(source, HOST.address(family), datagram(PORT))
}

fn one(name: String, packet: Packet) -> Option<Shape> {
    Some(Shape { name, frames: vec![packet.frame()] })
}

/// A long datagram in fragments of several sizes, forwards and backwards.
fn fragments(family: Family) -> Vec<Shape> {
    let mut payload = vec![0; 400];
    payload.extend(PROBE);
    payload.resize(800, 0);
    let segment = Segment::udp(45000, PORT, &payload);
    let mut shapes = Vec::new();
    for (number, bytes) in (1..).zip([8, 64, 256]) {
        let packet = Packet::new(UNLISTED.address(family), HOST.address(family), segment.clone());
        let pieces = packet.into_fragments(bytes);
        // An identification of its own: what is left of one shape must not
        // complete another.
        let ids = [number * 2, number * 2 + 1];
        for (id, backwards) in ids.into_iter().zip([false, true]) {
            let mut frames: Vec<Vec<u8>> =
                pieces.iter().map(|piece| piece.clone().fragment_id(id).frame()).collect();
            if backwards {
                frames.reverse();
            }
            let order = if backwards { "backwards" } else { "in order" };
            let name = format!("fragments of {bytes} bytes {order} {}", family.name());
            shapes.push(Shape { name, frames });
        }
    }
    shapes
}
