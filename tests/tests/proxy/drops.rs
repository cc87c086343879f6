//! What the proxy refuses is in the live drops, beside the packets.

use std::net::Ipv4Addr;

use filter_tests::daemon::Drops;
use filter_tests::deadline::wait_for;
use serde_json::{Value, json};

use crate::stage::{LISTED, NAME, PORT, Stage, UNLISTED};

/// What is shown of a refusal that is made until it is seen.
fn seen(drops: &Drops, reason: &str, refuse: impl Fn()) -> Value {
    wait_for(reason, || {
        refuse();
        let next = || drops.next_soon();
        std::iter::from_fn(next).find(|shown| shown["reason"] == reason)
    })
}

fn assert_shown(shown: &Value, fields: Value) {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    assert_eq!(shown["tier"], "proxy", "{shown}");
    assert_eq!(shown["destination_port"], PORT, "{shown}");
    for (key, value) in fields {
        assert_eq!(shown[&key], value, "{key} of {shown}");
    }
}

#[test]
fn refusals_of_the_proxy_are_shown_live() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({
        "origins": ["https://www.example.com"],
        "trusted_hops": ["127.0.0.30/32"],
    }));
    let (listed, unlisted) = (scene.client(LISTED), scene.client(UNLISTED));
    let app = scene.app.client_app_id.as_str();
    stage.run(|| {
        let drops = Drops::follow(&stage.installation);
        let shown = seen(&drops, "not_listed", || assert!(unlisted.connect().is_err()));
        assert_shown(&shown, json!({ "source": UNLISTED, "app": null, "verdict": "drop" }));
        let other = "other.example.com";
        let shown = seen(&drops, "unknown_name", || assert!(listed.connect_to(other).is_err()));
        assert_shown(&shown, json!({ "source": LISTED, "name": other, "verdict": "drop" }));
        let shown = seen(&drops, "origin_not_listed", || {
            let answer = listed.get("/", "Origin: https://evil.example\r\n").expect("an answer");
            assert_eq!(answer.status, 403);
        });
        assert_shown(&shown, json!({ "source": LISTED, "name": NAME, "app": app }));
        let detail = shown["detail"].as_str().expect("words");
        assert!(detail.contains("https://evil.example"), "{detail}");
        let hop = scene.client(Ipv4Addr::new(127, 0, 0, 30));
        let shown = seen(&drops, "not_listed", || {
            let mut tcp = hop.tcp().expect("a connection");
            // A hop that was refused at once has nothing more to say.
            let _ = std::io::Write::write_all(
                &mut tcp,
                b"PROXY TCP4 203.0.113.9 127.0.0.1 4321 443\r\n",
            );
            assert!(hop.finish(tcp, NAME).is_err());
        });
        assert_shown(
            &shown,
            json!({ "source": "127.0.0.30", "client": "203.0.113.9", "app": app }),
        );
    });
}

#[test]
fn what_an_observing_app_would_refuse_is_shown() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "mode": "observe" }));
    let unlisted = scene.client(UNLISTED);
    stage.run(|| {
        let drops = Drops::follow(&stage.installation);
        let shown = seen(&drops, "not_listed", || {
            assert_eq!(unlisted.get("/", "").expect("an answer").status, 200);
        });
        let fields = json!({ "source": UNLISTED, "name": NAME, "verdict": "would_drop" });
        assert_shown(&shown, fields);
    });
}
