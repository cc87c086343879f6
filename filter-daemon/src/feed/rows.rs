//! Tables with commas: addresses alone, and geofeeds.

use std::borrow::Cow;

use super::fault::quote;
use super::filter::Says;
use super::intake::{Intake, Note, Place};
use super::lines::COMMENT_STARTS;
use crate::access_list::{Address, AddressError};

/// What the first column is called in files that have a heading.
const HEADINGS: [&str; 9] = [
    "address",
    "cidr",
    "ip",
    "ip address",
    "ip_address",
    "ip_prefix",
    "ip prefix",
    "network",
    "prefix",
];

/// A row with its fields.
pub(super) struct Row<'a> {
    at: usize,
    /// One at least.
    pub(super) fields: Vec<Cow<'a, str>>,
}

/// Reads rows of one address.
pub(super) fn read_csv(intake: &mut Intake<'_>) {
    for row in rows(intake.text()) {
        let place = Place::at(row.at);
        match row.fields[1..].iter().find(|field| !field.trim().is_empty()) {
            Some(field) => {
                let why = format!(
                    "{} stands in a second column: a CSV list has one address a line, a geofeed is read with --format geofeed",
                    quote(field)
                );
                intake.refuse(place, why);
            }
            None => intake.take_range(place, &row.fields[0], Says::default(), Note::default()),
        }
    }
}

/// Reads rows of prefix, country, region, city and postal code (RFC 8805).
pub(super) fn read_geofeed(intake: &mut Intake<'_>) {
    for row in rows(intake.text()) {
        let place = Place::at(row.at);
        if let Some(field) = row.fields[1..].iter().find(|field| is_meant_as_address(field)) {
            let why = format!(
                "{} is a second address in one row: write one a line, or a range as first-last",
                quote(field)
            );
            intake.refuse(place, why);
            continue;
        }
        let column = |number: usize| row.fields.get(number).map_or("", |field| field.trim());
        let says = Says { regions: &[column(1), column(2)], ..Says::default() };
        intake.take_range(place, &row.fields[0], says, Note::default());
    }
}

/// Whether a text is an address, or would be but for a mistake in it.
pub(super) fn is_meant_as_address(text: &str) -> bool {
    match Address::parse(text) {
        Ok(_) | Err(AddressError::HostBits { .. } | AddressError::PrefixLength { .. }) => true,
        Err(AddressError::Empty | AddressError::NotAnAddress { .. }) => false,
    }
}

/// The rows of a text below its heading, if it has one. Every line is a row of
/// its own: a quote that is not closed cannot swallow the next one.
pub(super) fn rows(text: &str) -> impl Iterator<Item = Row<'_>> {
    let mut next = 0;
    let rows = text.split_inclusive('\n').filter_map(move |line| {
        let at = next;
        next += line.len();
        let line = line.trim();
        let is_comment = COMMENT_STARTS.iter().any(|start| line.starts_with(start));
        (!line.is_empty() && !is_comment).then(|| Row { at, fields: fields(line) })
    });
    rows.enumerate()
        .filter(|(number, row)| *number > 0 || !is_heading(&row.fields[0]))
        .map(|(_, row)| row)
}

/// Whether a text is what the first column is called, and nothing that could
/// be an address.
pub(super) fn is_heading(text: &str) -> bool {
    HEADINGS.contains(&text.trim().to_ascii_lowercase().as_str())
}

fn fields(line: &str) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(',').map(Cow::Borrowed).collect();
    }
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes());
    // What cannot be split stays whole, and is no address.
    match reader.into_records().next() {
        Some(Ok(record)) if !record.is_empty() => {
            record.iter().map(|field| Cow::Owned(field.to_owned())).collect()
        }
        Some(_) | None => vec![Cow::Borrowed(line)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_mistakes_are_still_meant_as_such() {
        for text in ["192.0.2.1", "10.0.0.1/8", "10.0.0.0/33", "::1"] {
            assert!(is_meant_as_address(text), "{text}");
        }
        for text in ["", "US", "10", "ssh-ed25519 AAAA", "*.example.com"] {
            assert!(!is_meant_as_address(text), "{text}");
        }
    }
}
