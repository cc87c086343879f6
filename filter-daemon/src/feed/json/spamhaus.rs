//! Spamhaus DROP as JSON: an object a line, and one about the list itself.

use serde::Deserialize;

use crate::feed::fault::quote;
use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note, Place};

#[derive(Deserialize)]
struct Row {
    cidr: Option<String>,
    sblid: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Whether a line is a row of such a list.
pub(in crate::feed) fn is_row(line: &str) -> bool {
    row(line).is_some_and(|row| row.cidr.is_some() && row.sblid.is_some())
}

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    let mut next = 0;
    for line in intake.text().split_inclusive('\n') {
        let place = Place::at(next);
        next += line.len();
        if line.trim().is_empty() {
            continue;
        }
        match row(line) {
            Some(Row { cidr: Some(cidr), sblid, .. }) => {
                let note = Note { comment: sblid.as_deref(), ..Note::default() };
                intake.take(place, &cidr, Says::default(), note);
            }
            Some(Row { kind: Some(_), .. }) => {}
            Some(Row { .. }) => intake.refuse(place, "there is no `cidr` here"),
            None => {
                let line = quote(line.trim());
                intake.refuse(place, format!("{line} is no JSON object with `cidr`"));
            }
        }
    }
}

/// An object; an array of three texts would do for the parser too.
fn row(line: &str) -> Option<Row> {
    line.trim_start().starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()
}
