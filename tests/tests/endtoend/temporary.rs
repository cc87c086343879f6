//! Entries that end by themselves, and entries that are off.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use filter_tests::daemon::{AppPath, Control};
use filter_tests::deadline::wait_for;
use filter_tests::packet_socket::receive;
use filter_tests::scenario::{AppRules, Mode, PORT};
use filter_tests::wire::Wire;
use filter_tests::world::{Family, HOST, LISTED};
use jiff::Timestamp;
use serde_json::Value;
use socket2::Socket;

use super::stage::{Stage, begin_to_connect, gets_in, is_connected, listener, place_gets_in};

/// How long a temporary entry lasts, seconds. The longer one is for a machine
/// that does not get done within the shorter one.
const SPANS_S: [u32; 3] = [3, 12, 48];

/// The kernel counts whole seconds of a clock that began at any moment.
const GRAIN: Duration = Duration::from_secs(1);

/// A connection that a peer began.
struct Flow {
    client: Socket,
    server: Socket,
    _listener: Socket,
}

impl Flow {
    fn begin(stage: &Stage, source: IpAddr) -> Self {
        let host = HOST.address(if source.is_ipv4() { Family::V4 } else { Family::V6 });
        let address = SocketAddr::new(host, PORT);
        let listener = stage.world.host.run(|| listener(address));
        let local = SocketAddr::new(source, 0);
        let client = stage.world.outside.run(|| begin_to_connect(local, address));
        wait_for("the connection", || is_connected(&client).then_some(()));
        let (server, _) = listener.accept().expect("a connection");
        Self { client, server, _listener: listener }
    }

    /// Whether what the peer sends arrives.
    fn carries(&self, wire: &Wire<'_>, text: &[u8]) -> bool {
        self.client.send(text).expect("it is sent");
        wire.settle().expect("the wire works");
        receive(&self.server, Duration::ZERO).expect("the socket works").is_some()
    }
}

fn entry(control: &Control, app: &AppPath, address: IpAddr) -> Option<Value> {
    let found = control.get(&format!("{}/access_list?address={address}", app.ours));
    found["entries"].as_array().expect("a list").first().cloned()
}

/// Whether the list says that an entry is over. The kernel refuses up to a
/// [`GRAIN`] earlier, and the entry goes from the list a while later.
fn has_ended(control: &Control, app: &AppPath, address: IpAddr) -> bool {
    entry(control, app, address).is_none_or(|entry| entry["status"] == "expired")
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().expect("text").parse().expect("a moment")
}

fn counted(control: &Control, reason: &str) -> u64 {
    let rows = control.get("/api/filter/v1/counters");
    let rows = rows.as_array().expect("a list").clone();
    let found = rows.iter().filter(|row| row["reason"] == reason);
    found.map(|row| row["packets"].as_u64().expect("a number")).sum()
}

/// Lists a source until a moment, and goes on once `prepare` got done before
/// it; answers the moment.
fn list_for<T>(
    stage: &Stage,
    (control, app): (&Control, &AppPath),
    source: IpAddr,
    prepare: impl Fn() -> T,
) -> (Timestamp, T) {
    let address = source.to_string();
    for span in SPANS_S {
        let span = format!("{span}s");
        let list = ["accesslist", "create", "--app", &app.client_app_id, "--ip", &address];
        let said = stage.done(&[&list[..], &["--for", &span]].concat());
        assert!(said.contains("until"), "{said}");
        let end = entry(control, app, source).expect("it is listed");
        let end = moment(&end["expires"]);
        let prepared = prepare();
        if Timestamp::now() + GRAIN < end {
            return (end, prepared);
        }
        stage.done(&["accesslist", "delete", "--app", &app.client_app_id, "--ip", &address]);
    }
    panic!("not even {SPANS_S:?} seconds were enough");
}

#[test]
fn a_temporary_entry_ends_and_with_it_its_connection() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app = control.create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    for family in Family::BOTH {
        let source = LISTED.address(family);
        assert!(!gets_in(&wire, source), "not yet listed");
        let expired = counted(&control, "expired");
        let (end, flow) = list_for(&stage, (&control, &app), source, || {
            let flow = Flow::begin(&stage, source);
            assert!(flow.carries(&wire, b"before"));
            flow
        });
        wait_for("the entry to end", || (!gets_in(&wire, source)).then_some(()));
        let now = Timestamp::now();
        assert!(now + GRAIN >= end, "{source} was refused at {now}, before {end}");
        assert!(!flow.carries(&wire, b"after"), "{source} goes on by its old connection");
        assert!(counted(&control, "expired") > expired, "refused for the right reason");
        wait_for("the list to say so", || has_ended(&control, &app, source).then_some(()));
        list_again(&stage, source);
        assert!(gets_in(&wire, source), "{source} is listed again while it is shown as expired");
        assert_eq!(entry(&control, &app, source).expect("listed")["expires"], Value::Null);
    }
}

/// IPv4 comes by a file, IPv6 by itself.
fn list_again(stage: &Stage, source: IpAddr) {
    let address = source.to_string();
    if source.is_ipv4() {
        let file = stage.file("again.txt", &address);
        stage.done(&["accesslist", "import", "--app", "web", &file]);
    } else {
        stage.done(&["accesslist", "create", "--app", "web", "--ip", &address]);
    }
}

#[test]
fn an_end_comes_with_the_daemon_dead_and_outlives_a_restart() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app = control.create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let (short, long) = (IpAddr::from(LISTED.v4()), IpAddr::from(LISTED.v6()));
    let create =
        ["accesslist", "create", "--app", "web", "--ip", &long.to_string()].map(str::to_owned);
    let create: Vec<&str> = create.iter().map(String::as_str).collect();
    stage.done(&[&create[..], &["--until", "2999-12-31 18:00"]].concat());
    let before = entry(&control, &app, long).expect("it is listed");
    list_for(&stage, (&control, &app), short, || assert!(gets_in(&wire, short)));
    daemon.kill();
    wait_for("the entry to end without a daemon", || (!gets_in(&wire, short)).then_some(()));
    assert!(gets_in(&wire, long), "the other one goes on");
    let daemon = stage.start();
    assert!(!gets_in(&wire, short) && gets_in(&wire, long));
    let control = daemon.control();
    let after = entry(&control, &app, long).expect("it is listed");
    assert_eq!((&after["expires"], &after["status"]), (&before["expires"], &"applied".into()));
    wait_for("the list to say so", || has_ended(&control, &app, short).then_some(()));
}

#[test]
fn a_disabled_entry_lets_nobody_in() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    control.create_app("web", &AppRules::new(&["host"]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let addresses = Family::BOTH.map(|family| LISTED.address(family).to_string());
    for address in &addresses {
        let create = ["accesslist", "create", "--app", "web", "--ip", address, "--disabled"];
        let said = stage.done(&create);
        assert!(said.contains("disabled"), "{said}");
    }
    assert!(!place_gets_in(&wire, LISTED));
    let shown = stage.done(&["accesslist", "list", "--app", "web"]);
    assert_eq!(shown.matches("disabled").count(), 2, "{shown}");
    let update = |flag: &str| {
        for address in &addresses {
            stage.done(&["accesslist", "update", "--app", "web", "--ip", address, flag]);
        }
    };
    update("--enable");
    assert!(place_gets_in(&wire, LISTED));
    let flow = Flow::begin(&stage, LISTED.v4().into());
    assert!(flow.carries(&wire, b"before"));
    update("--disable");
    assert!(!place_gets_in(&wire, LISTED));
    assert!(!flow.carries(&wire, b"after"), "its connection ends with it");
}
