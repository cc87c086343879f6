//! Which entry let how many packets in, and when last.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aya::maps::{Map, MapData, PerCpuHashMap};
use filter_common::hit::Hit;
use filter_tests::daemon::{AppPath, Configuration, Control, Installation};
use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode, PORT};
use filter_tests::wire::Wire;
use filter_tests::world::{Family, HOST, HOST_INTERFACE, LISTED, Place, World};
use jiff::Timestamp;
use serde_json::Value;

use super::stage::{Stage, begin_to_connect, configuration, gets_in, is_connected, listener};

/// Datagrams of a source.
const DATAGRAMS: u64 = 5;

/// A source that is listed and sends nothing, or little.
const OTHER: Place = Place(111);

/// What the list tells of the entry of an address.
fn entry(control: &Control, app: &AppPath, address: IpAddr) -> Value {
    let list = control.get(&format!("{}/access_list", app.ours));
    let entries = list["entries"].as_array().expect("a list");
    let mut found = entries.iter().filter(|entry| entry["address"] == address.to_string());
    found.next().expect("it is listed").clone()
}

fn hits(control: &Control, app: &AppPath, address: IpAddr) -> u64 {
    entry(control, app, address)["hits"].as_u64().expect("a number")
}

fn send(wire: &Wire<'_>, source: IpAddr, datagrams: u64) {
    for _ in 0..datagrams {
        assert!(gets_in(wire, source), "{source} is listed");
    }
}

#[test]
fn hits_of_a_short_list_are_exact() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED, OTHER]);
    let app = control.create_app("short", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    for family in Family::BOTH {
        let (source, other) = (LISTED.address(family), OTHER.address(family));
        // The kernel's clock may be a tick behind.
        let begin = Timestamp::now() - Duration::from_millis(100);
        send(&wire, source, DATAGRAMS);
        let hit = entry(&control, &app, source);
        assert_eq!(hit["hits"], DATAGRAMS, "{hit}");
        let last: Timestamp = hit["last_hit"].as_str().expect("text").parse().expect("a time");
        assert!(begin <= last && last <= Timestamp::now(), "{begin}: {hit}");
        let unhit = entry(&control, &app, other);
        assert_eq!((&unhit["hits"], &unhit["last_hit"]), (&0.into(), &Value::Null), "{unhit}");
    }
    let arguments = ["accesslist", "list", "--app", "short"];
    let shown = stage.installation.filterctl(&stage.world.host, &arguments);
    let shown = String::from_utf8(shown.stdout).expect("text");
    let row = |address: IpAddr| {
        let row = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut row = row.filter(|row| row.first() == Some(&address.to_string().as_str()));
        row.next().expect("it is listed")
    };
    assert_eq!(row(LISTED.v4().into())[1], DATAGRAMS.to_string(), "{shown}");
    assert_eq!(row(OTHER.v4().into())[1..3], ["0", "never"], "{shown}");
    assert_eq!(control.status()["table_bytes"], 0, "no list is long");
}

#[test]
fn hits_go_with_their_entry() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[OTHER]);
    let app = control.create_app("short", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let (source, other) = (IpAddr::from(LISTED.v4()), IpAddr::from(OTHER.v4()));
    let (path, _) = control.add(&app, &source.to_string());
    send(&wire, source, DATAGRAMS);
    send(&wire, other, 1);
    assert_eq!(counted_entries(&stage.installation), 2);
    control.delete(&path);
    control.add(&app, &source.to_string());
    assert_eq!(hits(&control, &app, source), 0, "the entry is another one");
    wait_for("the hits of the old entry to be forgotten", || {
        (counted_entries(&stage.installation) == 1).then_some(())
    });
    send(&wire, source, 1);
    assert_eq!((hits(&control, &app, source), hits(&control, &app, other)), (1, 1));
}

/// How many entries the kernel keeps hits of.
fn counted_entries(installation: &Installation) -> usize {
    let pins = installation.pins().files();
    let pin = pins.iter().find(|pin| pin.ends_with("HITS")).expect("it is pinned");
    let map = MapData::from_pin(pin).expect("it is a map");
    let hits: PerCpuHashMap<_, u32, Hit> =
        Map::PerCpuHashMap(map).try_into().expect("the layout is ours");
    hits.keys().count()
}

/// Connections count at once, other packets when as many have come as one
/// sample stands for.
#[test]
fn hits_behind_a_table_are_those_of_connections_and_of_samples() {
    let configuration =
        Configuration { accelerate_from: Some(1), ..configuration(HOST_INTERFACE, "native") };
    let stage = Stage { world: World::new(), installation: Installation::new(configuration) };
    let daemon = stage.start();
    let control = daemon.control();
    let rules = AppRules::new(&["host"]).listing(&[LISTED, OTHER]);
    let app = control.create_app("long", &rules, Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    assert_ne!(control.status()["table_bytes"], 0);
    for family in Family::BOTH {
        let source = LISTED.address(family);
        let address = SocketAddr::new(HOST.address(family), PORT);
        let _server = stage.world.host.run(|| listener(address));
        let client =
            stage.world.outside.run(|| begin_to_connect(SocketAddr::new(source, 0), address));
        wait_for("the connection", || is_connected(&client).then_some(()));
        assert_eq!(hits(&control, &app, source), 1, "{}", family.name());
        let samples = 2 * filter_common::event::HIT_SAMPLE;
        send(&wire, source, samples);
        assert_eq!(hits(&control, &app, source), 1 + samples, "{}", family.name());
        assert_eq!(hits(&control, &app, OTHER.address(family)), 0);
    }
}
