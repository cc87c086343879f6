//! Real TCP, UDP and ICMP, both families: listed gets in, unlisted does not.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use filter_tests::deadline::{PATIENCE, wait_for};
use filter_tests::frame::icmp;
use filter_tests::packet_socket::receive;
use filter_tests::scenario::{AppRules, Mode, PORT};
use filter_tests::wire::Wire;
use filter_tests::world::{Family, HOST, LISTED, Place, UNLISTED, World};
use socket2::{Domain, Protocol, Socket, Type};

use super::stage::{Stage, begin_to_connect, is_connected, listener};

/// Bytes of the TCP transfer.
const TRANSFER: usize = 1 << 20;

#[test]
fn native_mode() {
    serves_the_listed_alone(1500, "native");
}

#[test]
fn generic_mode() {
    serves_the_listed_alone(1500, "generic");
}

#[test]
fn native_mode_with_jumbo_frames() {
    serves_the_listed_alone(9000, "native");
}

#[test]
fn generic_mode_with_jumbo_frames() {
    serves_the_listed_alone(9000, "generic");
}

fn serves_the_listed_alone(mtu: u32, mode: &str) {
    let stage = Stage::with(World::with_mtu(mtu), mode);
    let daemon = stage.start();
    let control = daemon.control();
    control.create_app("all", &AppRules::new(&["host"]).listing(&[LISTED]), Mode::Enforce);
    let got = &control.status()["interfaces"][0]["mode_got"];
    assert_eq!(got, mode, "the mode that was asked for");
    let wire = Wire::new(&stage.world).expect("sockets open");
    for family in Family::BOTH {
        for (source, served) in [(LISTED, true), (UNLISTED, false), (LISTED, true)] {
            tcp(&stage.world, &wire, source, family, served);
            for bytes in [10, 1400, 8000, 65_000] {
                udp(&stage.world, &wire, source, family, bytes, served);
            }
            ping(&stage.world, &wire, source, family, served);
        }
    }
}

/// A connection, and when it may be, a transfer there and back.
fn tcp(world: &World, wire: &Wire<'_>, source: Place, family: Family, served: bool) {
    let address = SocketAddr::new(HOST.address(family), PORT);
    let server = world.host.run(|| listener(address));
    let local = SocketAddr::new(source.address(family), 0);
    let mut client = world.outside.run(|| begin_to_connect(local, address));
    if !served {
        wire.settle().expect("the wire works");
        assert!(!is_connected(&client), "TCP from {local}");
        server.set_nonblocking(true).expect("an option");
        assert!(server.accept().is_err(), "TCP from {local}");
        return;
    }
    wait_for("the connection", || is_connected(&client).then_some(()));
    client.set_nonblocking(false).expect("an option");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut connection, _) = server.accept().expect("a connection");
            connection.set_read_timeout(Some(PATIENCE)).expect("an option");
            let mut bytes = Vec::new();
            connection.read_to_end(&mut bytes).expect("the request");
            connection.write_all(&bytes).expect("the answer");
        });
        client.set_read_timeout(Some(PATIENCE)).expect("an option");
        let request: Vec<u8> = (0..TRANSFER).map(|i| (i % 251).to_le_bytes()[0]).collect();
        client.write_all(&request).expect("the request");
        client.shutdown(Shutdown::Write).expect("it is connected");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("the answer");
        assert!(answer == request, "what comes back is what was sent");
    });
}

/// One datagram, in fragments when it is long.
fn udp(world: &World, wire: &Wire<'_>, source: Place, family: Family, bytes: usize, served: bool) {
    let address = SocketAddr::new(HOST.address(family), PORT);
    let server = world.host.run(|| datagrams(address));
    let client = world.outside.run(|| datagrams(SocketAddr::new(source.address(family), 0)));
    let sent: Vec<u8> = (0..bytes).map(|i| (i % 249).to_le_bytes()[0]).collect();
    client.send_to(&sent, &address.into()).expect("it is sent");
    let patience = if served { PATIENCE } else { Duration::ZERO };
    if !served {
        wire.settle().expect("the wire works");
    }
    let got = receive(&server, patience).expect("the socket works");
    let expected = served.then_some(sent);
    assert!(got == expected, "{bytes} bytes of UDP from .{} {}", source.0, family.name());
}

/// An echo request, answered by the host's kernel.
fn ping(world: &World, wire: &Wire<'_>, source: Place, family: Family, served: bool) {
    assert_eq!(answers_ping(world, wire, source, family), served, "ping from .{}", source.0);
}

/// Whether the host answers a ping: waits for the answer of one that it must
/// answer behind it.
pub(crate) fn answers_ping(world: &World, wire: &Wire<'_>, source: Place, family: Family) -> bool {
    let host = SocketAddr::new(HOST.address(family), 0);
    let (domain, protocol) = match family {
        Family::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Family::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    let payload = b"are you there, host?";
    let socket = world.outside.run(|| {
        let socket = Socket::new(domain, Type::RAW, Some(protocol)).expect("a socket (root)");
        let local = SocketAddr::new(source.address(family), 0);
        socket.bind(&local.into()).expect("the address is ours");
        socket
    });
    let request = icmp::echo_request(family.is_v6(), payload);
    let bytes = request.finish(source.address(family), host.ip());
    socket.send_to(&bytes, &host.into()).expect("it is sent");
    // When the rounds are through, the host has dealt with the request, and
    // its answer is on the wire, which is as good as delivered here.
    wire.settle().expect("the wire works");
    let answer = if family.is_v6() { 129 } else { 0 };
    let offset = if family.is_v6() { 0 } else { 20 };
    let answered = || {
        while let Some(bytes) = receive(&socket, Duration::from_millis(50)).expect("it works") {
            if bytes.get(offset) == Some(&answer) && bytes.ends_with(payload) {
                return true;
            }
        }
        false
    };
    answered()
}

fn datagrams(local: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.bind(&local.into()).expect("the address is ours");
    socket.set_recv_buffer_size(1 << 20).expect("an option");
    socket
}

/// Removing an entry ends what the peer began: its next packet is refused.
#[test]
fn a_connection_ends_with_its_entry() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app = control.create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    for family in Family::BOTH {
        let (entry, _) = control.add(&app, &LISTED.address(family).to_string());
        let address = SocketAddr::new(HOST.address(family), PORT);
        let server = stage.world.host.run(|| listener(address));
        let local = SocketAddr::new(LISTED.address(family), 0);
        let client = stage.world.outside.run(|| begin_to_connect(local, address));
        wait_for("the connection", || is_connected(&client).then_some(()));
        let (connection, _) = server.accept().expect("a connection");
        client.send(b"before").expect("it is sent");
        let before = receive(&connection, PATIENCE).expect("the socket works");
        assert_eq!(before.as_deref(), Some(&b"before"[..]));
        control.delete(&entry);
        client.send(b"after").expect("it is sent");
        wire.settle().expect("the wire works");
        let after = receive(&connection, Duration::ZERO).expect("the socket works");
        assert_eq!(after, None, "{}", family.name());
    }
}
