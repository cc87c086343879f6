//! New numbers, ids and names. Reads no clock: the time is given.

use std::sync::Arc;

use super::error::StoreError;
use crate::app::App;
use crate::id::ObjectId;

/// Gives out what was never given out before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    /// The next number.
    pub(super) next_number: u32,
    /// Unix seconds now.
    pub(super) now: i64,
}

impl Fresh {
    /// An id with the next number.
    pub(super) fn id(&mut self) -> Result<ObjectId, StoreError> {
        let number = self.next_number;
        self.next_number = number.checked_add(1).ok_or(StoreError::LimitExceeded {
            what: "entries and apps made since the first start",
            count: 1 << 32,
            limit: u32::MAX as usize,
            remedy: "export the lists, move the state directory away, and import them again",
        })?;
        // Seconds wrap in 2106, as those of every other ObjectId do.
        let seconds = u32::try_from(self.now.rem_euclid(1 << 32)).unwrap_or(0);
        Ok(ObjectId::from_parts(seconds, number, rand::random()))
    }
}

/// The name in lower case, with five random letters that no app of that name
/// has. Lower case, because the clients compare it with what was typed in
/// lower case.
pub(super) fn client_app_id(apps: &[&Arc<App>], name: &str) -> String {
    loop {
        let suffix: String = (0..5).map(|_| rand::random_range('a'..='z')).collect();
        let candidate = format!("{}-{suffix}", name.to_ascii_lowercase());
        if !apps.iter().any(|app| app.client_app_id == candidate) {
            return candidate;
        }
    }
}

/// The lowest place in the kernel's tables that no app has. Place 0 means "no
/// app".
pub(super) fn app_index(apps: &[&Arc<App>], places: u32) -> Option<u32> {
    let taken = |index: &u32| apps.iter().any(|app| app.index == *index);
    (1..places).find(|index| !taken(index))
}
