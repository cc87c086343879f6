//! A JSON array of address strings.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Candidate, Fault, Faults};

/// Splits a text into what should be addresses.
pub(super) fn read(text: &str) -> (Vec<Candidate<'_>>, Faults) {
    let elements: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(elements) => elements,
        Err(error) => {
            let why = format!("this is not a JSON array of address strings: {error}");
            return (Vec::new(), vec![Fault { line: error.line().max(1), why }]);
        }
    };
    let mut candidates = Vec::new();
    let mut faults = Vec::new();
    let mut line = 1;
    let mut rest = text;
    for element in elements {
        let content = element.get();
        // The elements are pieces of the text itself, in order.
        let position = content.as_ptr() as usize - rest.as_ptr() as usize;
        line += rest[..position].matches('\n').count();
        rest = &rest[position..];
        match serde_json::from_str::<String>(content) {
            Ok(address) => candidates.push((line, Cow::Owned(address))),
            Err(_) => faults.push(Fault {
                line,
                why: format!("{content} is not a string: an array of address strings is needed"),
            }),
        }
    }
    (candidates, faults)
}
