//! Records that the daemon tells newest first, a page at a time.

use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::invocation::Invocation;

/// The daemon tells no more at a time.
const PAGE: usize = 1000;

impl Invocation {
    /// So many of the newest records, or all that there are; their numbers
    /// fall by the order that they come in.
    pub(super) async fn newest<T: DeserializeOwned>(
        &self,
        path: &str,
        limit: usize,
        number: impl Fn(&T) -> u64,
    ) -> Result<Vec<T>, Failure> {
        let mut records: Vec<T> = Vec::new();
        loop {
            let wanted = PAGE.min(limit - records.len());
            let before = records.last().map(|last| format!("&before={}", number(last)));
            let page = format!("{path}?limit={wanted}{}", before.unwrap_or_default());
            let page: Vec<T> = self.client.read(&page).await?;
            let is_last = page.len() < wanted;
            records.extend(page);
            if is_last || records.len() >= limit {
                return Ok(records);
            }
        }
    }
}
