//! `[[outbound]]`: addresses that the proxy tier sends from, under labels.

use std::net::IpAddr;

use crate::config::Outbound;
use crate::config::document::{Faults, Located, Section};

/// A label is a part of a path.
const LONGEST_LABEL_BYTES: usize = 64;

pub(super) fn check(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<Outbound> {
    let mut all: Vec<Outbound> = Vec::new();
    for section in root.sections("outbound", faults) {
        section.refuse_unknown(&["label", "addresses"], faults);
        let label = label(&section, &all, faults);
        let addresses = addresses(&section, faults);
        all.push(Outbound { label, addresses });
    }
    all
}

fn label(section: &Section<'_, '_>, others: &[Outbound], faults: &mut Faults<'_>) -> String {
    let Some(label) = section.string("label", faults) else {
        section.refuse_missing("label", "is missing: name whose addresses these are", faults);
        return String::new();
    };
    let text = label.value.as_str();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > LONGEST_LABEL_BYTES || !text.chars().all(is_plain) {
        faults.refuse(
            &label,
            format!("{text:?} is no label: 1 to {LONGEST_LABEL_BYTES} letters, digits, - and _"),
        );
    } else if others.iter().any(|other| other.label == text) {
        faults.refuse(&label, format!("{text:?} is given twice: join the two lists"));
    }
    label.value
}

fn addresses(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for text in &section.some_strings("addresses", "[\"192.0.2.1\"]", faults) {
        match address(text) {
            Ok(address) if found.contains(&address) => {
                faults.refuse(text, format!("{address} is given twice: leave one of them away"));
            }
            Ok(address) => found.push(address),
            Err(why) => faults.refuse(text, why),
        }
    }
    found
}

fn address(text: &Located<String>) -> Result<IpAddr, String> {
    let text = text.value.as_str();
    if text.contains('/') {
        return Err(format!(
            "{text:?} is a CIDR: list the single addresses that the proxy sends from"
        ));
    }
    let address: IpAddr = text.parse().map_err(|_| {
        format!("{text:?} is not an IP address: give one such as 192.0.2.1 or 2001:db8::1")
    })?;
    let address = address.to_canonical();
    match address.is_unspecified() || address.is_multicast() {
        true => Err(format!("{address} is no address that anybody sends from")),
        false => Ok(address),
    }
}
