//! The same on Linux 6.1, the oldest that filterd works on: this binary is the
//! user space of an emulated machine, and its tests of the budget run there.

use filter_tests::emulator;

use crate::show;

/// Where `cargo xtask test` says that kernel is.
const KERNEL: &str = "FILTERD_LINUX_6_1";

#[test]
fn linux_6_1_keeps_to_the_budget() {
    let Some(kernel) = std::env::var_os(KERNEL) else {
        panic!(
            "{KERNEL} is not set: run `cargo xtask test`, or set it to the image of a Linux 6.1"
        );
    };
    let this = std::env::current_exe().expect("this binary is a file");
    let arguments = ["budget::", "--test-threads=1"];
    let ended = emulator::run(kernel.as_ref(), &this, &arguments);
    show(&ended.console);
    assert!(ended.console.contains("\nLinux 6.1."), "it is another kernel");
    assert_eq!(ended.status, Some(0));
}
