//! What a host needs to stay alive goes on under an empty list that covers
//! everything, and for longer than any cache lives.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use filter_tests::deadline::{PATIENCE, wait_for};
use filter_tests::frame::{ARP, IPV6};
use filter_tests::packet_socket::{PacketSocket, receive};
use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;
use filter_tests::world::{
    Family, HOST, HOST_INTERFACE, HOST_MAC, LISTED, OUTSIDE_INTERFACE, UNLISTED, World,
};
use socket2::{Domain, Socket, Type};

use super::stage::{Stage, listener, place_gets_in, stream};
use super::traffic::answers_ping;

/// How often every neighbour's entry must age and be confirmed again.
const LIVES: usize = 3;

#[test]
fn the_host_itself_reaches_out() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("nobody", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    age_quickly(&stage.world);
    for life in 0..LIVES {
        for family in Family::BOTH {
            fetches(&stage.world, family);
            resolves(&stage.world, family);
        }
        assert!(!place_gets_in(&wire, UNLISTED), "life {life}");
        for namespace in [&stage.world.host, &stage.world.outside] {
            namespace.ip("neigh flush all");
        }
    }
}

#[test]
fn neighbours_are_found_again_when_the_caches_have_aged() {
    let stage = Stage::new();
    let daemon = stage.start();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    daemon.control().create_app("all", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    age_quickly(&stage.world);
    for family in Family::BOTH {
        let ear = stage.world.outside.run(|| PacketSocket::open(OUTSIDE_INTERFACE));
        let ear = ear.expect("sockets open");
        let (mut asked, mut answered) = (0, 0);
        // The entries are used all the time, and still each side asks again
        // and again whether the other is there.
        wait_for("the neighbours to have been confirmed again", || {
            assert!(answers_ping(&stage.world, &wire, LISTED, family), "{}", family.name());
            assert!(!answers_ping(&stage.world, &wire, UNLISTED, family), "{}", family.name());
            while let Some(frame) = ear.receive(Duration::ZERO).expect("the socket works") {
                asked += usize::from(discovery(&frame) == Some(Discovery::Question));
                answered += usize::from(discovery(&frame) == Some(Discovery::Answer));
            }
            (asked >= LIVES && answered >= LIVES).then_some(())
        });
        for namespace in [&stage.world.host, &stage.world.outside] {
            namespace.ip("neigh flush all");
        }
        assert!(answers_ping(&stage.world, &wire, LISTED, family), "after a flush");
    }
}

/// A message of ARP or neighbour discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Discovery {
    Question,
    Answer,
}

/// What a frame of the host is in ARP or neighbour discovery.
fn discovery(frame: &[u8]) -> Option<Discovery> {
    if frame.get(6..12)? != HOST_MAC {
        return None;
    }
    let arp = (frame.get(12..14)? == ARP.to_be_bytes()).then(|| frame.get(21)).flatten();
    let icmpv6 = (frame.get(12..14)? == IPV6.to_be_bytes() && *frame.get(20)? == 58)
        .then(|| frame.get(54))
        .flatten();
    match (arp, icmpv6) {
        (Some(1), _) | (_, Some(135)) => Some(Discovery::Question),
        (Some(2), _) | (_, Some(136)) => Some(Discovery::Answer),
        _ => None,
    }
}

/// Neighbour entries live for a fraction of a second.
fn age_quickly(world: &World) {
    for (namespace, interface) in
        [(&world.host, HOST_INTERFACE), (&world.outside, OUTSIDE_INTERFACE)]
    {
        for family in ["ipv4", "ipv6"] {
            let key = |name: &str| format!("{family}/neigh/{interface}/{name}");
            namespace.sysctl(&key("base_reachable_time_ms"), "200");
            namespace.sysctl(&key("gc_stale_time"), "1");
            namespace.sysctl(&key("delay_first_probe_time"), "1");
            namespace.sysctl(&key("retrans_time_ms"), "100");
        }
    }
}

/// A TCP connection that the host opens to somebody on no list.
fn fetches(world: &World, family: Family) {
    let far = SocketAddr::new(UNLISTED.address(family), 8080);
    let server = world.outside.run(|| listener(far));
    let mut client = world.host.run(|| stream(SocketAddr::new(HOST.address(family), 0)));
    client.connect_timeout(&far.into(), PATIENCE).expect("the host can open connections");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut connection, _) = server.accept().expect("a connection");
            let mut request = [0; 4];
            connection.read_exact(&mut request).expect("the request");
            connection.write_all(&vec![7; 200_000]).expect("the answer");
        });
        client.set_read_timeout(Some(PATIENCE)).expect("an option");
        client.write_all(b"GET\n").expect("it is connected");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("the answer comes through");
        assert_eq!(answer.len(), 200_000, "{}", family.name());
    });
}

/// A question over a connected UDP socket, as resolvers ask.
fn resolves(world: &World, family: Family) {
    let far = SocketAddr::new(UNLISTED.address(family), 53);
    let datagrams = |local: SocketAddr| {
        let socket = Socket::new(Domain::for_address(local), Type::DGRAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("an option");
        socket.bind(&local.into()).expect("the address is ours");
        socket
    };
    let server = world.outside.run(|| datagrams(far));
    let client = world.host.run(|| datagrams(SocketAddr::new(HOST.address(family), 0)));
    client.connect(&far.into()).expect("UDP connects at once");
    client.send(b"who is example.org?").expect("it is sent");
    let question = receive(&server, PATIENCE).expect("the socket works");
    assert_eq!(question.as_deref(), Some(&b"who is example.org?"[..]));
    let local = client.local_addr().expect("it is bound");
    server.send_to(b"192.0.2.1", &local).expect("it is sent");
    let answer = receive(&client, PATIENCE).expect("the socket works");
    assert_eq!(answer.as_deref(), Some(&b"192.0.2.1"[..]), "{}", family.name());
}
