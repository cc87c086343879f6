//! What is said of a file that is not as it should be.

use super::failure::Failure;
use super::output;
use crate::feed::Faults;

/// More faults than this help nobody.
const FAULTS_SHOWN: usize = 20;

/// The failure that tells the faults of a file, each with its line.
pub(super) fn refusal(name: &str, faults: &Faults) -> Failure {
    Failure::new(listing(name, faults)).with_code("InvalidFile").with_advice("Nothing was changed.")
}

fn listing(name: &str, faults: &Faults) -> String {
    let count = faults.count();
    let noun = if count == 1 { "fault" } else { "faults" };
    let mut lines = vec![format!("{count} {noun} in {name}:")];
    for fault in faults.told.iter().take(FAULTS_SHOWN) {
        let path = match fault.path.as_str() {
            "" => String::new(),
            path => format!(" {path}:"),
        };
        lines.push(output::harmless(&format!("{name}:{}:{path} {}", fault.line, fault.why)));
    }
    if count > FAULTS_SHOWN {
        lines.push(format!("and {} more", count - FAULTS_SHOWN));
    }
    lines.join("\n")
}
