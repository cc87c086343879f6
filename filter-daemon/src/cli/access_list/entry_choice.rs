//! Which entry is meant by an address.
//!
//! The text of the address decides. Another spelling of the same prefix is
//! taken when it fits one entry alone, and that is said.

use crate::access_list::Address;
use crate::cli::answers::Entry;

/// An entry that was meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match<'a> {
    /// By the very text.
    Text(&'a Entry),
    /// By another spelling of the same prefix.
    Spelling(&'a Entry),
}

impl<'a> Match<'a> {
    /// The entry.
    pub(super) fn entry(&self) -> &'a Entry {
        match self {
            Self::Text(entry) | Self::Spelling(entry) => entry,
        }
    }

    /// What to say about it, where it is not the very text.
    pub(super) fn remark(&self, wanted: &str) -> Option<String> {
        match self {
            Self::Text(_) => None,
            Self::Spelling(entry) => {
                Some(format!("{wanted} is listed as {}, the same prefix", entry.address))
            }
        }
    }
}

/// The entry that an address means.
pub(super) fn find<'a>(entries: &'a [Entry], wanted: &str) -> Option<Match<'a>> {
    if let Some(entry) = entries.iter().find(|entry| entry.address == wanted) {
        return Some(Match::Text(entry));
    }
    let prefix = Address::parse(wanted).ok()?.prefix();
    let mut same = entries
        .iter()
        .filter(|entry| Address::parse(&entry.address).is_ok_and(|a| a.prefix() == prefix));
    let entry = same.next()?;
    same.next().is_none().then_some(Match::Spelling(entry))
}

/// What an entry is called in a list to choose from.
pub(super) fn describe(entry: &Entry) -> String {
    let Entry { id, address, comment, .. } = entry;
    match comment.is_empty() {
        true => format!("{id} - {address}"),
        false => format!("{id} - {address} - {comment}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: &str, comment: &str) -> Entry {
        Entry {
            id: format!("id-{address}"),
            address: address.into(),
            comment: comment.into(),
            hits: None,
            last_hit: None,
        }
    }

    #[test]
    fn text_goes_before_spelling() {
        let list = [entry("192.0.2.1", ""), entry("2001:DB8::1", ""), entry("10.0.0.0/8", "")];
        assert_eq!(find(&list, "192.0.2.1"), Some(Match::Text(&list[0])));
        let by_prefix = find(&list, "192.0.2.1/32").expect("the same prefix");
        assert_eq!(by_prefix, Match::Spelling(&list[0]));
        let remark = by_prefix.remark("192.0.2.1/32").expect("another spelling");
        assert!(remark.contains("192.0.2.1/32 is listed as 192.0.2.1"), "{remark}");
        assert_eq!(find(&list, "2001:db8::1"), Some(Match::Spelling(&list[1])));
        assert_eq!(find(&list, "10.0.0.1"), None);
        assert_eq!(find(&list, "nonsense"), None);
    }

    #[test]
    fn descriptions_leave_out_an_empty_comment() {
        assert_eq!(describe(&entry("::1", "")), "id-::1 - ::1");
        assert_eq!(describe(&entry("::1", "lo")), "id-::1 - ::1 - lo");
    }
}
