//! The places that connections take: so many in all, and no single source may
//! have more than its share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::source::Source;

/// A source may take one place in so many.
const SHARE: usize = 4;

/// How often it is told that there is no place.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    most_of_source: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_source: HashMap<Source, usize>,
    /// When it was told last that there is no place.
    told: Option<Instant>,
}

/// A place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    source: Source,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("all places are taken (limits.admin_connections in filterd.toml)")]
    All,
    #[error("its source has its share of the places (limits.admin_connections in filterd.toml)")]
    Source,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, most_of_source: (most / SHARE).max(1), taken: Mutex::default() }
    }

    /// Whether it is to be told that there is no place: once a minute, however
    /// many clients are turned away.
    pub(super) fn is_to_be_told(&self, now: Instant) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = taken.told.is_none_or(|told| now.duration_since(told) >= TOLD_EVERY);
        if is_due {
            taken.told = Some(now);
        }
        is_due
    }

    /// Takes a place for a client.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let source = Source::of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.most {
            return Err(Full::All);
        }
        let of_source = taken.by_source.entry(source).or_default();
        if *of_source >= self.most_of_source {
            return Err(Full::Source);
        }
        *of_source += 1;
        taken.all += 1;
        Ok(Place { places: Arc::clone(self), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(of_source) = taken.by_source.get_mut(&self.source) {
            *of_source -= 1;
            if *of_source == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_has_its_share_and_all_together_the_rest() {
        let places = Arc::new(Places::new(8));
        let take = |text: &str| places.take(text.parse().expect("an address"));
        let mut held = vec![take("192.0.2.1").expect("free"), take("192.0.2.1").expect("free")];
        assert_eq!(take("192.0.2.1").expect_err("its share"), Full::Source);
        assert_eq!(take("::ffff:192.0.2.1").expect_err("the same source"), Full::Source);
        for number in 2..5 {
            held.push(take(&format!("192.0.2.{number}")).expect("free"));
            held.push(take(&format!("192.0.2.{number}")).expect("free"));
        }
        assert_eq!(take("2001:db8::1").expect_err("full"), Full::All);
        let now = Instant::now();
        assert!(places.is_to_be_told(now) && !places.is_to_be_told(now + TOLD_EVERY / 2));
        assert!(places.is_to_be_told(now + TOLD_EVERY));
        held.clear();
        held.push(take("192.0.2.1").expect("free again"));
        assert_eq!(places.taken.lock().expect("sound").by_source.len(), 1, "nothing is kept");
    }
}
