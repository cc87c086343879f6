//! What the program costs the kernel's verifier, with its packet log pruned
//! and with it. The ceiling is half of what the kernel allows.

use filter_daemon::datapath::{Datapath, DatapathOptions};
use filter_tests::pins::Pins;

const CEILING: u32 = 500_000;

#[test]
fn the_verifier_takes_the_program_with_and_without_its_log() {
    for packet_log in [false, true] {
        let pins = Pins::new();
        let options = DatapathOptions { pins: pins.path().to_owned(), packet_log, accelerate_from: 1000 };
        let facts = Datapath::open(&options).expect("the program loads").facts();
        println!("packet log {packet_log}: {} instructions verified", facts.instructions_verified);
        assert!((1..=CEILING).contains(&facts.instructions_verified), "{facts:?}");
    }
}
