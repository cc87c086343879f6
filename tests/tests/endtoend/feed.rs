//! Real input: the outbound addresses of App Services as an access list.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use filter_tests::scenario::{AppRules, Mode};
use filter_tests::wire::Wire;

use super::stage::{Stage, gets_in};

const FEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/app-services-all.json");

#[test]
fn every_address_of_app_services_passes_and_its_neighbours_do_not() {
    let stage = Stage::new();
    let daemon = stage.start();
    let app = daemon.control().create_app("feed", &AppRules::new(&["host"]), Mode::Enforce);
    import(&stage, &app.client_app_id, Path::new(FEED));
    let listed: BTreeSet<Ipv4Addr> = {
        let text = std::fs::read_to_string(FEED).expect("the fixture is there");
        let addresses: Vec<String> = serde_json::from_str(&text).expect("an array of addresses");
        addresses.iter().map(|address| address.parse().expect("an address")).collect()
    };
    assert_eq!(listed.len(), 96, "83 of AWS, 8 of Azure, 5 of GCP");
    let wire = Wire::new(&stage.world).expect("sockets open");
    let mut neighbours = BTreeSet::new();
    for address in &listed {
        assert!(gets_in(&wire, IpAddr::V4(*address)), "{address} is listed");
        let bits = u32::from(*address);
        for other in [bits - 1, bits + 1, bits ^ 0x100, bits ^ 0x8000_0000].map(Ipv4Addr::from) {
            if !listed.contains(&other) {
                neighbours.insert(other);
            }
        }
    }
    for neighbour in &neighbours {
        assert!(!gets_in(&wire, IpAddr::V4(*neighbour)), "{neighbour} is not listed");
    }
    println!("{} addresses pass, {} neighbours do not", listed.len(), neighbours.len());
}

fn import(stage: &Stage, app: &str, file: &Path) {
    let file = file.to_str().expect("a plain path");
    let arguments = ["accesslist", "import", "--app", app, file];
    let output = stage.installation.filterctl(&stage.world.host, &arguments);
    assert!(output.status.success(), "{output:?}");
}
