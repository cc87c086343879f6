//! Which entry is meant by an address.
//!
//! The prefix of the address decides: no two entries have the same. Another
//! spelling than the entry's own is taken, and that is said.

use crate::access_list::Address;
use crate::cli::answers::{App, Entry, EntryList};
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;

impl Invocation {
    /// The entries of an app, oldest first.
    pub(super) async fn entries(&self, app: &App) -> Result<Vec<Entry>, Failure> {
        let list: EntryList = self.client.read(&app.access_list_path()).await?;
        Ok(list.entries)
    }

    /// The entry that an address means, if there is one.
    pub(super) async fn entry(&self, app: &App, wanted: &str) -> Result<Option<Entry>, Failure> {
        // What is no address is on no list.
        let Ok(address) = Address::parse(wanted) else { return Ok(None) };
        let path = format!("{}?address={}", app.access_list_path(), address.prefix());
        let list: EntryList = self.client.read(&path).await?;
        Ok(list.entries.into_iter().next())
    }
}

/// What to say of an entry that is written in another way than it was meant.
pub(super) fn remark(entry: &Entry, wanted: &str) -> Option<String> {
    let Entry { address, .. } = entry;
    (**address != *wanted).then(|| format!("{wanted} is listed as {address}, the same prefix"))
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
    use serde_json::json;

    use super::*;

    fn entry(address: &str, comment: &str) -> Entry {
        let entry = json!({
            "_id": format!("id-{address}"), "address": address, "comment": comment,
            "enabled": true, "expires": null, "status": "applied", "author": "root",
            "created": "2026-01-02T03:04:05Z", "changed": "2026-01-02T03:04:05Z",
        });
        serde_json::from_value(entry).expect("an entry")
    }

    #[test]
    fn another_spelling_is_said() {
        let listed = entry("192.0.2.1", "");
        assert_eq!(remark(&listed, "192.0.2.1"), None);
        let said = remark(&listed, "192.0.2.1/32").expect("another spelling");
        assert!(said.contains("192.0.2.1/32 is listed as 192.0.2.1"), "{said}");
    }

    #[test]
    fn descriptions_leave_out_an_empty_comment() {
        assert_eq!(describe(&entry("::1", "")), "id-::1 - ::1");
        assert_eq!(describe(&entry("::1", "lo")), "id-::1 - ::1 - lo");
    }
}
