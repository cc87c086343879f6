//! The budget, on the kernel that this runs on, and a sign of life.

use filter_daemon::datapath::{Datapath, DatapathOptions};
use filter_tests::frame::{Packet, Segment};
use filter_tests::loaded;
use filter_tests::pins::Pins;
use filter_tests::program::Program;
use filter_tests::scenario::{EPHEMERAL, Mode, PORT, Rules};
use filter_tests::test_run::Action;
use filter_tests::world::{Family, HOST, LISTED, Place, UNLISTED};
use nix::sys::utsname::uname;

use crate::cost::Cost;
use crate::{log, show};

/// Half of what the kernel allows.
const INSTRUCTIONS: u32 = 500_000;

/// The kernel allows 512.
const STACK_BYTES: u32 = 480;

#[test]
fn is_kept_with_the_packet_log_and_without() {
    let kernel = uname().expect("the kernel has a name");
    for packet_log in [false, true] {
        let pins = Pins::new();
        let options =
            DatapathOptions { pins: pins.path().to_owned(), packet_log, accelerate_from: 1 };
        let datapath = Datapath::open(&options).expect("the program loads");
        let functions = loaded::functions(&datapath.program_pin()).expect("it is pinned");
        let cost = Cost::new(&log::last(), functions);
        show(&format!("Linux {}, packet log {packet_log}:\n{cost}", kernel.release().display()));
        assert_eq!(cost.instructions, datapath.facts().instructions_verified);
        assert!((1..=INSTRUCTIONS).contains(&cost.instructions), "over {INSTRUCTIONS}");
        assert!(cost.deepest().stack_bytes <= STACK_BYTES, "over {STACK_BYTES} bytes of stack");
    }
}

#[test]
fn buys_a_filter_that_works() {
    let mut program = Program::open();
    program.apply(&Rules::host_wide(), Mode::Enforce);
    for family in Family::BOTH {
        let verdict = |source: Place| {
            let segment = Segment::udp(EPHEMERAL, PORT, b"let me in");
            let packet = Packet::new(source.address(family), HOST.address(family), segment);
            program.run(&packet.frame(), None)
        };
        assert_eq!(verdict(LISTED), Action::Pass, "{family:?}");
        assert_eq!(verdict(UNLISTED), Action::Drop, "{family:?}");
    }
}
