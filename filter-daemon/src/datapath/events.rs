//! Reading the sampled refusals.

use std::path::Path;

use aya::maps::{Map, MapData, RingBuf};
use filter_common::event::Event;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::DatapathError;
use super::world::open_map;

const EVENTS: &str = "EVENTS";

/// The ring of sampled refusals.
pub struct EventSource(AsyncFd<RingBuf<MapData>>);

impl EventSource {
    pub(super) fn open(directory: &Path) -> Result<Self, DatapathError> {
        let ring = RingBuf::try_from(Map::RingBuf(open_map(directory, EVENTS)?))
            .map_err(DatapathError::map("open", EVENTS))?;
        // SAFETY: the ring owns its descriptor and keeps the same one for life.
        let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
        let ring = ring.map_err(|error| DatapathError::Map {
            operation: "watch",
            map: EVENTS.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self(ring))
    }

    /// Waits for events and answers all that are there.
    pub async fn next(&mut self) -> std::io::Result<Vec<Event>> {
        loop {
            let mut ready = self.0.readable_mut().await?;
            let ring = ready.get_inner_mut();
            let mut events = Vec::new();
            while let Some(item) = ring.next() {
                events.extend(read_event(&item));
            }
            // Drained before the readiness is cleared, or an event that came
            // in between would wait for the next one.
            ready.clear_ready();
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }
}

fn read_event(bytes: &[u8]) -> Option<Event> {
    if bytes.len() != size_of::<Event>() {
        return None;
    }
    // SAFETY: the length was checked, any bytes are a valid Event (integers
    // and arrays of them), and no alignment is assumed.
    Some(unsafe { bytes.as_ptr().cast::<Event>().read_unaligned() })
}
