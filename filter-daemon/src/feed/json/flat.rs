//! An array of address strings.

use crate::feed::filter::Says;
use crate::feed::intake::{Intake, Note};

/// Reads it.
pub(in crate::feed) fn read(intake: &mut Intake<'_>) {
    let Some(document) = intake.document() else { return };
    for (number, raw) in intake.elements(document, format_args!("")).into_iter().enumerate() {
        intake.take_raw(raw, format_args!("[{number}]"), Says::default(), Note::default());
    }
}
