//! What the front ends show of what the filter did.

use filter_tests::daemon::Drops;
use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode, PORT};
use filter_tests::wire::Wire;
use filter_tests::world::{HOST, HOST_INTERFACE, LISTED, UNLISTED};

use super::stage::{Stage, gets_in};

#[test]
fn a_refusal_is_counted_and_shown() {
    let stage = Stage::new();
    let daemon = stage.start();
    let control = daemon.control();
    let app =
        control.create_app("all", &AppRules::new(&["port=443"]).listing(&[LISTED]), Mode::Enforce);
    let wire = Wire::new(&stage.world).expect("sockets open");
    let drops = Drops::follow(&stage.installation);
    let shown = wait_for("a refusal in the stream", || {
        assert!(!gets_in(&wire, UNLISTED.v4().into()));
        drops.next_soon()
    });
    for (key, value) in [
        ("interface", HOST_INTERFACE.to_owned()),
        ("app", app.client_app_id.clone()),
        ("reason", "not_listed".to_owned()),
        ("verdict", "drop".to_owned()),
        ("source", UNLISTED.v4().to_string()),
        ("destination", HOST.v4().to_string()),
    ] {
        assert_eq!(shown[key], value, "{key} of {shown}");
    }
    assert_eq!(shown["destination_port"], PORT, "{shown}");
    let count = |reason: &str| {
        let rows = control.get("/api/filter/v1/counters");
        let rows = rows.as_array().expect("a list").clone();
        let found = rows
            .iter()
            .find(|row| row["reason"] == reason && row["app"] == app.client_app_id.as_str());
        found.map_or(0, |row| row["packets"].as_u64().expect("a number"))
    };
    let before = (count("listed"), count("not_listed"));
    assert!(gets_in(&wire, LISTED.v4().into()) && !gets_in(&wire, UNLISTED.v6().into()));
    assert_eq!((count("listed"), count("not_listed")), (before.0 + 1, before.1 + 1));
}
