//! Connections to upstreams come from the configured addresses and no others.

use std::net::IpAddr;

use filter_tests::daemon::Configuration;
use serde_json::json;

use crate::stage::{LISTED, Stage};

const SOURCES: [&str; 2] = ["10.9.0.1", "10.9.0.2"];

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
