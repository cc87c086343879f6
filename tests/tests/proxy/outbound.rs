//! Connections to upstreams come from the configured addresses and no others.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use filter_tests::daemon::Configuration;
use filter_tests::deadline::wait_for;
use filter_tests::packet_socket::PacketSocket;
use serde_json::json;

use crate::stage::{LISTED, Stage};

const SOURCES: [&str; 2] = ["10.9.0.1", "10.9.0.2"];

/// Takes the second of them away and puts it back, many times.
const COMES_AND_GOES: &str = "for i in $(seq 40); do \
    ip address del 10.9.0.2/24 dev veth0; ip address add 10.9.0.2/24 dev veth0; done";

fn stage(sources: &[&str]) -> Stage {
    let mut configuration = Configuration::on("veth0", "generic");
    let label = "[[outbound]]\nlabel = \"web\"";
    configuration.lines.push(format!("{label}\naddresses = {sources:?}"));
    let stage = Stage::with(configuration);
    for source in SOURCES {
        stage.namespace.ip(&format!("address add {source}/24 dev veth0"));
    }
    stage
}

#[test]
fn addresses_take_turns_and_one_that_goes_is_an_error() {
    let stage = stage(&SOURCES);
    let scene = stage.start();
    let upstream = format!("http://10.9.0.1:{}", scene.upstream.port);
    scene.set_proxy(json!({ "upstreams": [upstream] }));
    let client = scene.client(LISTED);
    // An upstream that closes is connected to again for each request.
    let close = || client.get("/close", "").expect("an answer").text();
    let sources =
        || -> Vec<IpAddr> { scene.upstream.asked().iter().map(|asked| asked.peer.ip()).collect() };
    stage.run(|| {
        for _ in 0..6 {
            close();
        }
        let seen = sources();
        for source in SOURCES {
            let source: IpAddr = source.parse().expect("an address");
            assert_eq!(seen.iter().filter(|seen| **seen == source).count(), 3, "{seen:?}");
        }
    });
    stage.namespace.ip("address del 10.9.0.2/24 dev veth0");
    stage.run(|| {
        scene.upstream.forget();
        for _ in 0..6 {
            close();
        }
        let first: IpAddr = SOURCES[0].parse().expect("an address");
        assert_eq!(sources(), vec![first; 3]);
        assert_eq!(scene.count("outbound_missing"), 3);
        let log = stage.installation.log();
        assert!(log.contains("10.9.0.2") && log.contains("is not on this host"), "{log}");
    });
}

/// Connections that wait for the next request go with their address.
#[test]
fn a_connection_does_not_outlive_its_address() {
    let stage = stage(&SOURCES[1..]);
    let scene = stage.start();
    scene.set_proxy(json!({ "upstreams": [format!("http://10.9.0.1:{}", scene.upstream.port)] }));
    let client = scene.client(LISTED);
    stage.run(|| assert_eq!(client.get("/", "").expect("an answer").status, 200));
    stage.namespace.ip("address del 10.9.0.2/24 dev veth0");
    stage.run(|| {
        wait_for("the connection to be given up", || {
            let out = stage
                .namespace
                .command("ss")
                .args(["-Htn", "state", "established", "src", "10.9.0.2"])
                .output();
            out.expect("iproute2 is there").stdout.is_empty().then_some(())
        });
        let asked = Instant::now();
        assert_eq!(client.get("/", "").expect("an answer").status, 502);
        assert!(asked.elapsed() < Duration::from_secs(5));
    });
    assert_eq!(scene.count("outbound_missing"), 1);
}

/// What is on the wire tells it, while an address comes and goes.
#[test]
fn every_syn_comes_from_a_configured_address() {
    let stage = stage(&SOURCES);
    let scene = stage.start();
    let port = scene.upstream.port;
    scene.set_proxy(json!({ "upstreams": [format!("http://10.9.0.1:{port}")] }));
    let client = scene.client(LISTED);
    let mut comes_and_goes = stage.namespace.command("sh");
    comes_and_goes.args(["-c", COMES_AND_GOES]);
    let sources = stage.run(|| {
        let wire = PacketSocket::open("lo").expect("every namespace has one");
        let mut changing = comes_and_goes.spawn().expect("a shell");
        while changing.try_wait().expect("it is our child").is_none() {
            // An address that is gone in that moment is an error, and no SYN.
            let _ = client.get("/close", "");
        }
        let frames = std::iter::from_fn(|| wire.receive(Duration::ZERO).expect("the wire works"));
        frames.filter_map(|frame| source_of_syn(&frame, port)).collect::<Vec<_>>()
    });
    let configured = SOURCES.map(|source| source.parse::<Ipv4Addr>().expect("an address"));
    assert!(configured.iter().all(|source| sources.contains(source)), "{sources:?}");
    assert!(sources.iter().all(|source| configured.contains(source)), "{sources:?}");
}

/// The source of a frame on `lo` that asks a port for a connection.
fn source_of_syn(frame: &[u8], port: u16) -> Option<Ipv4Addr> {
    let packet = frame.get(14..)?;
    let header = usize::from(packet.first()? & 0xf) * 4;
    let segment = packet.get(header..header + 14)?;
    let asks = packet[0] >> 4 == 4
        && packet[9] == 6
        && segment[2..4] == port.to_be_bytes()
        && segment[13] & 0x12 == 0x02;
    let source: [u8; 4] = packet[12..16].try_into().ok()?;
    asks.then(|| source.into())
}

#[test]
fn a_family_without_an_address_is_an_error() {
    let stage = stage(&["2001:db8::1"]);
    let scene = stage.start();
    stage.run(|| {
        let answer = scene.client(LISTED).get("/", "").expect("an answer");
        assert_eq!(answer.status, 502);
        assert!(scene.upstream.asked().is_empty());
    });
    assert_eq!(scene.count("outbound_missing"), 1);
}
