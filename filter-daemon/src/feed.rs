//! Feeds: lists of addresses as files have them, read and written. Pure.
//!
//! Owns the forms that an import understands and those that an export writes,
//! how a form is told from its content, the filters by what a feed says of an
//! address, and how a list of sources to keep out is recognised. Never does
//! IO, reads no clock, and knows nothing of apps.
//!
//! Invariants: a file is taken whole or not at all, with every fault at its
//! place; nothing that should have been an address is left out in silence;
//! no two entries of a feed stand for the same prefix.

mod blocklist;
mod detect;
mod export;
mod fault;
mod filter;
mod format;
mod intake;
mod json;
mod lines;
mod range;
mod rows;

use jiff::Timestamp;

pub use blocklist::BlockList;
pub use export::{Export, flat_csv, flat_json, full, text};
pub use fault::{Fault, Faults};
pub use filter::{Family, Filter, FilterError, Notion};
pub use format::Format;

use crate::access_list::Address;
use intake::Intake;

/// A file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name without directories, if it has one.
    pub name: Option<&'a str>,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// How to read a file.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Its form; told from the content where none is named.
    pub format: Option<Format>,
    /// What to take of it.
    pub filter: Filter,
    /// Take a list of sources to keep out as if it were one to let in.
    pub force: bool,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The form that it was read in.
    pub format: Format,
    /// The entries in the order of the file, each prefix once.
    pub entries: Vec<Listed>,
    /// How many more stood for the prefix of an earlier one.
    pub duplicates: usize,
    /// How many the filter left out.
    pub left_out: usize,
}

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The address as it stands there.
    pub address: Address,
    /// What it is for, if the file says so.
    pub comment: Option<Box<str>>,
    /// Whether it lets anybody in.
    pub enabled: bool,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// Why a file yields nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Something in it is wrong, or all of it.
    #[error("{0}")]
    Faults(Faults),
    /// It names sources to keep out.
    #[error("{0}")]
    BlockList(BlockList),
    /// The filter does not fit it.
    #[error("{0}")]
    Filter(FilterError),
}

/// Reads a file.
pub fn read(source: &Source<'_>, reading: &Reading) -> Result<Feed, FeedError> {
    let text = decode(source.bytes).map_err(|fault| FeedError::Faults(fault.into()))?;
    let named = (!reading.force).then(|| blocklist::recognise(source.name, text)).flatten();
    if let Some(list) = named {
        return Err(FeedError::BlockList(list));
    }
    let format = match reading.format {
        Some(format) => detect::agree(format, text).map(|()| format),
        None => detect::detect(text),
    };
    let format = format.map_err(|fault| FeedError::Faults(fault.into()))?;
    reading.filter.check(format).map_err(FeedError::Filter)?;
    let mut intake = Intake::new(text, &reading.filter);
    read_as(format, &mut intake);
    intake.finish(format)
}

fn read_as(format: Format, intake: &mut Intake<'_>) {
    let is_json = detect::is_json(intake.text());
    match format {
        Format::Json => json::flat::read(intake),
        Format::Full => json::full::read(intake),
        Format::Aws => json::aws::read(intake),
        Format::Gcp | Format::Google => json::google::read(intake),
        Format::Azure => json::azure::read(intake),
        Format::Github => json::keyed::read_github(intake),
        Format::Fastly => json::keyed::read_fastly(intake),
        Format::Cloudflare if is_json => json::keyed::read_cloudflare(intake),
        Format::Spamhaus if is_json => json::spamhaus::read(intake),
        Format::Oracle => json::oracle::read(intake),
        Format::Atlas => json::atlas::read(intake),
        Format::Csv => rows::read_csv(intake),
        Format::Geofeed => rows::read_geofeed(intake),
        Format::Tor => lines::read_tor(intake),
        Format::Dshield => lines::read_dshield(intake),
        Format::Text | Format::Netset | Format::Cloudflare | Format::Spamhaus => {
            lines::read_text(intake);
        }
    }
}

/// The text of a file, without a byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Fault::whole(1, "this is UTF-16: save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::whole(line, "this is not UTF-8 text")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests;
