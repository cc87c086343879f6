//! What the program costs the kernel's verifier, here and on Linux 6.1.

#[path = "verifier/budget.rs"]
mod budget;
#[path = "verifier/cost.rs"]
mod cost;
#[path = "verifier/emulated.rs"]
mod emulated;
#[path = "verifier/log.rs"]
mod log;

/// Prints past the harness, which keeps what a test that passes prints to
/// itself: the budget is worth a look before it is spent.
fn show(text: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "\n{text}").expect("somebody reads the output");
}
