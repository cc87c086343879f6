//! One address a line; blank lines and `#` lines are skipped.

use std::borrow::Cow;

use super::{Candidate, Fault, Faults};

/// Splits a text into what should be addresses.
pub(super) fn read(text: &str) -> (Vec<Candidate<'_>>, Faults) {
    let mut candidates = Vec::new();
    let mut faults = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match content.split_once(char::is_whitespace) {
            None => candidates.push((line, Cow::Borrowed(content))),
            Some((address, _)) => faults.push(Fault {
                line,
                why: format!("text behind {address:?}: one address a line, and nothing else"),
            }),
        }
    }
    (candidates, faults)
}
