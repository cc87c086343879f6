//! Where everything that a reader finds in a file comes together: addresses
//! are parsed, filtered and made unique, faults are noted at their places.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;

use super::fault::{Noted, quote};
use super::filter::{Known, Says};
use super::{Family, Feed, FeedError, Filter, Format, Listed, range};
use crate::access_list::Address;
use crate::store::LONGEST_COMMENT_BYTES;

/// No address is written longer than this.
const LONGEST_ADDRESS_BYTES: usize = 64;

/// What is read of a file so far.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    text: &'a str,
    filter: &'a Filter,
    known: Known,
    faults: Noted,
    entries: Vec<Listed>,
    /// Of each prefix, the place of its entry.
    places: HashMap<IpNet, usize>,
    duplicates: usize,
    left_out: usize,
}

/// Where something stands in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    /// The offset in the text.
    pub(super) at: usize,
    /// The path in a JSON document, else nothing.
    pub(super) path: fmt::Arguments<'p>,
}

/// What belongs to an entry besides its address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Note<'n> {
    pub(super) comment: Option<&'n str>,
    pub(super) disabled: bool,
    pub(super) expires: Option<Timestamp>,
}

impl Place<'static> {
    /// In a file that has no paths.
    pub(super) fn at(at: usize) -> Self {
        Self { at, path: format_args!("") }
    }
}

impl<'a> Intake<'a> {
    /// Nothing yet of a text.
    pub(super) fn new(text: &'a str, filter: &'a Filter) -> Self {
        Self {
            text,
            filter,
            known: Known::default(),
            faults: Noted::default(),
            entries: Vec::new(),
            places: HashMap::new(),
            duplicates: 0,
            left_out: 0,
        }
    }

    /// The whole text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Notes a fault.
    pub(super) fn refuse(&mut self, place: Place<'_>, why: impl Into<String>) {
        self.faults.note(place.at, place.path, why);
    }

    /// Takes what must be an address or a CIDR.
    pub(super) fn take(&mut self, place: Place<'_>, text: &str, says: Says<'_>, note: Note<'_>) {
        if text.len() > LONGEST_ADDRESS_BYTES {
            return self.refuse(place, format!("{} is too long to be an address", quote(text)));
        }
        match Address::parse(text) {
            Ok(address) => self.keep(place, address, says, note),
            Err(error) => self.refuse(place, error.to_string()),
        }
    }

    /// Takes what must be an address, a CIDR or a range of addresses.
    pub(super) fn take_range(
        &mut self,
        place: Place<'_>,
        text: &str,
        says: Says<'_>,
        note: Note<'_>,
    ) {
        let Some((first, last)) = text.split_once('-') else {
            return self.take(place, text, says, note);
        };
        match range::parse(first, last) {
            Ok(prefixes) => {
                for prefix in prefixes {
                    self.keep(place, Address::from(prefix), says, note);
                }
            }
            Err(why) => self.refuse(place, why),
        }
    }

    fn keep(&mut self, place: Place<'_>, address: Address, says: Says<'_>, note: Note<'_>) {
        let length = note.comment.map_or(0, str::len);
        if length > LONGEST_COMMENT_BYTES {
            let why = format!(
                "the comment has {length} bytes, and an entry's has {LONGEST_COMMENT_BYTES} at most"
            );
            return self.refuse(place, why);
        }
        self.known.learn(says, self.filter);
        let network = address.prefix().network();
        if !self.filter.takes(says) || !self.is_of_family(network) {
            self.left_out += 1;
            return;
        }
        let entry = Listed {
            address,
            comment: note.comment.map(Box::from),
            enabled: !note.disabled,
            expires: note.expires,
        };
        match self.places.entry(network) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.entries.len());
                self.entries.push(entry);
            }
            Entry::Occupied(first) => {
                let first = &self.entries[*first.get()];
                if (first.enabled, first.expires) != (entry.enabled, entry.expires) {
                    let why = format!(
                        "{} is there twice, and not with the same `enabled` and `expires`",
                        address_of(&entry)
                    );
                    return self.refuse(place, why);
                }
                self.duplicates += 1;
            }
        }
    }

    fn is_of_family(&self, network: IpNet) -> bool {
        match (self.filter.family, network) {
            (None, _) | (Some(Family::V4), IpNet::V4(_)) | (Some(Family::V6), IpNet::V6(_)) => true,
            (Some(Family::V4), IpNet::V6(_)) | (Some(Family::V6), IpNet::V4(_)) => false,
        }
    }

    /// The feed, or why there is none.
    pub(super) fn finish(self, format: Format) -> Result<Feed, FeedError> {
        if let Some(faults) = self.faults.into_faults(self.text) {
            return Err(FeedError::Faults(faults));
        }
        let Self { entries, duplicates, left_out, .. } = self;
        self.filter.judge(&self.known, entries.len()).map_err(FeedError::Filter)?;
        Ok(Feed { format, entries, duplicates, left_out })
    }
}

fn address_of(entry: &Listed) -> String {
    format!("{:?} (that is {})", entry.address.text(), entry.address.prefix())
}
