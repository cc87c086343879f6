//! Interfaces that appear, vanish and come back; interfaces that cannot be
//! filtered.

use std::net::{Ipv4Addr, SocketAddr};

use filter_tests::daemon::Installation;
use filter_tests::deadline::{PATIENCE, wait_for};
use filter_tests::frame::{Packet, Segment};
use filter_tests::packet_socket::{PacketSocket, receive};
use filter_tests::receiver::Receiver;
use filter_tests::scenario::{AppRules, EPHEMERAL, Mode, PORT};
use filter_tests::wire::Wire;
use filter_tests::world::{HOST, HOST_INTERFACE, LISTED, OUTSIDE_INTERFACE, UNLISTED, World};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::stage::{Stage, configuration, place_gets_in};

/// The state of an interface as the status shows it.
fn state(status: &Value, name: &str) -> String {
    let interfaces = status["interfaces"].as_array().expect("a list of interfaces");
    interfaces
        .iter()
        .find(|interface| interface["name"] == name)
        .map_or("absent".to_owned(), |interface| {
            interface["state"].as_str().expect("a state").to_owned()
        })
}

#[test]
fn an_interface_that_comes_back_gets_the_filter() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED]);
    control.create_app("all", &rules, Mode::Enforce);
    for round in 0..3 {
        let wire = Wire::new(&stage.world).expect("sockets open");
        assert!(place_gets_in(&wire, LISTED), "round {round}");
        assert!(!place_gets_in(&wire, UNLISTED), "round {round}");
        drop(wire);
        stage.world.host.ip(&format!("link del {HOST_INTERFACE}"));
        wait_for("the status to miss it", || {
            (state(&control.status(), HOST_INTERFACE) == "missing").then_some(())
        });
        stage.world.connect(1500);
        wait_for("the filter on it", || {
            (state(&control.status(), HOST_INTERFACE) == "attached").then_some(())
        });
    }
    let links = |file: &&std::path::PathBuf| file.parent().is_some_and(|p| p.ends_with("links"));
    let left = stage.installation.pins().files().iter().filter(links).count();
    assert_eq!(left, 1, "pins of vanished interfaces are left");
}

#[test]
fn an_interface_that_fits_a_pattern_gets_the_filter_when_it_appears() {
    let world = World::new();
    let installation = Installation::new(configuration("eth*", "auto"));
    let stage = Stage { world, installation };
    let daemon = stage.start();
    let control = daemon.control();
    control.create_app("nobody", &AppRules::new(&["host"]), Mode::Enforce);
    assert_eq!(state(&control.status(), HOST_INTERFACE), "attached");
    assert_eq!(state(&control.status(), "eth7"), "absent");
    stage.world.host.ip("link add eth7 type veth peer name other7");
    wait_for("the filter on eth7", || {
        (state(&control.status(), "eth7") == "attached").then_some(())
    });
    assert_eq!(state(&control.status(), "other7"), "absent");
    stage.world.host.ip("link del eth7");
    wait_for("eth7 to be forgotten", || {
        (state(&control.status(), "eth7") == "absent").then_some(())
    });
    assert_eq!(state(&control.status(), HOST_INTERFACE), "attached");
}

#[test]
fn an_interface_renamed_into_a_pattern_gets_the_filter() {
    let world = World::new();
    let installation = Installation::new(configuration("eth*", "auto"));
    let stage = Stage { world, installation };
    let daemon = stage.start();
    stage.world.host.ip("link add spare0 type veth peer name spare1");
    stage.world.host.ip("link set spare0 name eth9");
    wait_for("the filter on eth9", || {
        (state(&daemon.control().status(), "eth9") == "attached").then_some(())
    });
}

/// A device keeps its index in another network namespace, and with it the link.
#[test]
fn another_interface_with_the_index_of_one_that_left_gets_the_filter() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("all", &AppRules::new(&["host"]).listing(&[LISTED]), Mode::Enforce);
    let index = stage.world.host_index();
    daemon.kill();
    let away = filter_tests::namespace::Namespace::new();
    stage.world.host.ip(&format!("link set {HOST_INTERFACE} netns {}", away.path().display()));
    assert_eq!(away.interface_index(HOST_INTERFACE), Some(index), "it keeps its index");
    // The other end makes room for another one.
    stage.world.outside.ip(&format!("addr flush dev {OUTSIDE_INTERFACE}"));
    stage.world.outside.ip(&format!("link set {OUTSIDE_INTERFACE} down name left0"));
    stage.world.connect_as(index, 1500);
    let daemon = stage.start();
    assert_eq!(state(&daemon.control().status(), HOST_INTERFACE), "attached");
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(place_gets_in(&wire, LISTED));
    assert!(!place_gets_in(&wire, UNLISTED), "it is said to be filtered");
}

/// A foreign program is not pushed aside, and its id is named.
#[test]
fn a_foreign_program_is_left_alone_and_named() {
    let stage = Stage::new();
    let holder = stage.start();
    holder.control().create_app("all", &AppRules::new(&["host"]).open(), Mode::Enforce);
    let pin = super::restart::link(&stage.installation);
    let before = filter_tests::bpf_link::LinkFacts::read(&pin).expect("the link is pinned");
    // Another installation, to whom the first one's program is foreign.
    let other = Installation::new(configuration(HOST_INTERFACE, "native"));
    let daemon = other.start(&stage.world.host);
    let control = daemon.control();
    let create = ["app", "create", "nobody", "--scope", "host", "--mode", "enforce", "--empty"];
    let created = other.filterctl(&stage.world.host, &create);
    assert_eq!(created.status.code(), Some(3), "saved, and met by no packet: {created:?}");
    let status = control.status();
    assert_eq!(state(&status, HOST_INTERFACE), "refused");
    let detail = status["interfaces"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains(&before.program_id.to_string()), "{detail}");
    assert_eq!(status["filter"], "off");
    let detached = other.filterctl(&stage.world.host, &["--yes", "detach"]);
    let said = String::from_utf8_lossy(&[detached.stdout, detached.stderr].concat()).into_owned();
    assert!(!detached.status.success() && said.contains("still filtered"), "{said}");
    assert!(!said.contains("TRAFFIC IS NOW OPEN"), "{said}");
    assert!(!other.filterctl(&stage.world.host, &["--yes", "attach"]).status.success());
    let output = other.filterctl(&stage.world.host, &["interface", "list"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("filterd"), "filterctl finds the name of the program: {text}");
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(place_gets_in(&wire, UNLISTED), "the foreign program still decides");
    let now = filter_tests::bpf_link::LinkFacts::read(&pin).expect("the link is pinned");
    assert_eq!(now, before);
    // When the holder goes, the waiting one takes over.
    assert!(holder.stop().success());
    std::fs::remove_file(pin).expect("the pin is ours");
    wait_for("the filter on it", || {
        (state(&control.status(), HOST_INTERFACE) == "attached").then_some(())
    });
    assert!(!place_gets_in(&wire, UNLISTED));
}

#[test]
fn loopback_is_refused() {
    for pattern in ["lo", "l*", "*"] {
        let world = World::new();
        let installation = Installation::new(configuration(pattern, "auto"));
        match installation.try_start(&world.host) {
            Err(failure) => {
                let status = failure.status.expect("it has ended");
                assert!(!status.success());
                assert_eq!(pattern, "lo", "only the name itself is a fault: {}", failure.log);
                assert!(failure.log.contains("lo"), "{}", failure.log);
            }
            Ok(daemon) => {
                assert_ne!(pattern, "lo", "lo must not be taken");
                assert_eq!(state(&daemon.control().status(), "lo"), "absent", "{pattern}");
            }
        }
    }
}

/// A device without Ethernet headers is refused with a reason, or filtered
/// rightly; its first bytes are never read as MAC addresses.
#[test]
fn a_device_without_ethernet_headers_is_refused() {
    let world = World::new();
    world.host.ip("tuntap add dev tun7 mode tun");
    world.host.ip("link set tun7 up");
    let installation = Installation::new(configuration("tun7", "auto"));
    let daemon = installation.start(&world.host);
    let status = daemon.control().status();
    assert_eq!(state(&status, "tun7"), "refused", "{status}");
    let detail = status["interfaces"][0]["detail"].as_str().expect("a detail");
    assert!(detail.to_lowercase().contains("ethernet"), "{detail}");
}

/// Somebody removes the pin, and with it the filter: it comes back.
#[test]
fn a_removed_pin_is_put_back() {
    let stage = Stage::new();
    let daemon = stage.start();
    daemon.control().create_app("nobody", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let pin = super::restart::link(&stage.installation);
    std::fs::remove_file(&pin).expect("the pin is ours");
    wait_for("the pin to be back", || pin.exists().then_some(()));
    assert!(!place_gets_in(&wire, UNLISTED));
}

/// A second wire into the host, with a network of its own.
struct SecondWire {
    sender: PacketSocket,
    receiver: Socket,
}

impl SecondWire {
    const HOST: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 2);

    fn connect(world: &World) -> Self {
        world.host.ip(&format!(
            "link add eth7 address 02:78:00:00:00:02 type veth peer name out7 netns {}",
            world.outside.path().display()
        ));
        world.host.ip("link set eth7 up");
        world.host.ip("addr add 10.78.0.2/24 dev eth7");
        world.outside.ip("link set out7 up");
        let sender = world.outside.run(|| PacketSocket::open("out7")).expect("sockets open");
        let receiver = world.host.run(|| {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
            socket.set_reuse_address(true).expect("an option");
            let address = SocketAddr::from((Self::HOST, PORT));
            socket.bind(&address.into()).expect("the address is ours");
            socket
        });
        Self { sender, receiver }
    }

    fn send(&self, source: Ipv4Addr, text: &[u8]) {
        let segment = Segment::udp(EPHEMERAL, PORT, text);
        let packet = Packet::new(source.into(), Self::HOST.into(), segment);
        let frame = packet.to_mac([0x02, 0x78, 0, 0, 0, 0x02]).frame();
        self.sender.send(&frame).expect("the wire takes a frame");
    }
}

#[test]
fn a_scope_of_an_interface_holds_what_comes_in_there() {
    let world = World::new();
    let installation = Installation::new(configuration("eth*", "auto"));
    let stage = Stage { world, installation };
    let daemon = stage.start();
    let control = daemon.control();
    let near = Ipv4Addr::new(10, 78, 0, 10);
    let first = AppRules::new(&[&format!("interface={HOST_INTERFACE}")]).listing(&[LISTED]);
    let mut second = AppRules::new(&["interface=eth7"]);
    second.list = vec![near.to_string()];
    control.create_app("first", &first, Mode::Enforce);
    // The interface is not there yet: the scope waits for it.
    control.create_app("second", &second, Mode::Enforce);
    let other = SecondWire::connect(&stage.world);
    wait_for("the filter on eth7", || {
        (state(&control.status(), "eth7") == "attached").then_some(())
    });
    // Attached is not yet in the scopes: the first packet that is let in must
    // find the others already kept out.
    wait_for("what is listed for eth7", || {
        other.send(LISTED.v4(), b"listed for the other interface");
        other.send(Ipv4Addr::new(10, 78, 0, 66), b"listed nowhere");
        other.send(near, b"listed here");
        let mut alone = true;
        while let Some(got) = receive(&other.receiver, PATIENCE).expect("it works") {
            if got == b"listed here" {
                return alone.then_some(());
            }
            alone = false;
        }
        None
    });
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert!(super::stage::gets_in(&wire, LISTED.v4().into()));
    assert!(!super::stage::gets_in(&wire, near.into()), "listed for eth7 alone");
    for _ in 0..20 {
        other.send(LISTED.v4(), b"listed for the other interface");
        other.send(near, b"listed here");
        let got = receive(&other.receiver, PATIENCE).expect("it works");
        assert_eq!(got.as_deref(), Some(&b"listed here"[..]));
    }
}

/// The broadcast address of a scoped local address counts as that address,
/// also when the address comes later.
#[test]
fn an_address_that_comes_later_brings_its_broadcast_address() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["to=10.79.0.2"]).listing(&[LISTED]);
    control.create_app("later", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let arrives = |source: Ipv4Addr, mark: &[u8]| {
        let segment = Segment::udp(EPHEMERAL, PORT, mark);
        let frame = Packet::new(source.into(), [10, 79, 0, 255].into(), segment).frame();
        wire.delivers_frames(&[&frame], Receiver::Udp(PORT), mark).expect("the wire works")
    };
    stage.world.host.ip(&format!("addr add 10.79.0.2/24 brd + dev {HOST_INTERFACE}"));
    let mut number = 0_u32;
    let mut next = || {
        number += 1;
        format!("to everybody there {number:06}").into_bytes()
    };
    wait_for("the broadcast address to be covered", || {
        (!arrives(UNLISTED.v4(), &next())).then_some(())
    });
    assert!(arrives(LISTED.v4(), &next()));
    stage.world.host.ip(&format!("addr del 10.79.0.2/24 dev {HOST_INTERFACE}"));
    stage.world.host.ip(&format!("addr add 10.79.0.3/24 brd + dev {HOST_INTERFACE}"));
    wait_for("the broadcast address to be nobody's again", || {
        arrives(UNLISTED.v4(), &next()).then_some(())
    });
}

/// A host that forwards answers to the anycast address of its subnet's routers.
#[test]
fn the_anycast_address_of_a_router_counts_as_its_own() {
    let stage = Stage::new();
    let daemon = stage.start();
    let scope = format!("to={}", HOST.v6());
    let rules = AppRules::new(&[&scope]).listing(&[LISTED]);
    daemon.control().create_app("router", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let subnet = std::net::Ipv6Addr::from(u128::from(HOST.v6()) >> 64 << 64);
    let mut number = 0_u32;
    let mut arrives = |source: std::net::Ipv6Addr| {
        number += 1;
        let mark = format!("to any router {number:06}").into_bytes();
        let segment = Segment::udp(EPHEMERAL, PORT, &mark);
        let frame = Packet::new(source.into(), subnet.into(), segment).frame();
        wire.delivers_frames(&[&frame], Receiver::Udp(PORT), &mark).expect("the wire works")
    };
    assert!(!arrives(LISTED.v6()), "it is nobody's");
    stage.world.host.sysctl("ipv6/conf/all/forwarding", "1");
    wait_for("the anycast address to be the host's", || arrives(LISTED.v6()).then_some(()));
    wait_for("it to be covered", || (!arrives(UNLISTED.v6())).then_some(()));
    assert!(arrives(LISTED.v6()));
}

/// A file without a fault may still ask for what the host does not have.
#[test]
fn a_check_tells_what_the_host_does_not_have() {
    let stage = Stage::new();
    let file = stage
        .file("check.toml", "[[interface]]\nname = \"wlan9\"\n[control]\ngroup = \"no-such\"\n");
    let output = stage.installation.check(&stage.world.host, &file);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("no fault found") && text.contains("\"wlan9\""), "{text}");
    assert!(text.contains("no group \"no-such\""), "{text}");
}
