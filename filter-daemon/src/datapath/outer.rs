//! A map of maps: which map lies in each of its places.
//!
//! The kernel answers a change of one when every program that ran at the time
//! has ended (Linux commit 1ae80cf31938).

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd};
use std::path::Path;

use aya::maps::of_maps::ArrayOfMaps;
use aya::maps::{InnerMap, Map, MapData};

use super::world::open_map;
use super::{DatapathError, syscall};

/// A map of maps of one kind.
pub(super) struct Outer<M> {
    name: &'static str,
    places: ArrayOfMaps<MapData, M>,
    map: MapData,
}

impl<M: InnerMap> Outer<M> {
    /// Opens the one that is pinned in a directory.
    pub(super) fn open(directory: &Path, name: &'static str) -> Result<Self, DatapathError> {
        let places = ArrayOfMaps::try_from(Map::ArrayOfMaps(open_map(directory, name)?))
            .map_err(DatapathError::map("open", name))?;
        Ok(Self { name, places, map: open_map(directory, name)? })
    }

    /// Puts a map into a place.
    pub(super) fn set(&mut self, place: u32, map: &M) -> Result<(), DatapathError> {
        self.places.set(place, map, 0).map_err(DatapathError::map("fill a place", self.name))
    }

    /// Puts maps into places that no packet looks at, without waiting for
    /// packets where the kernel lets it.
    pub(super) fn set_unread(
        &self,
        places: &[u32],
        maps: &[BorrowedFd<'_>],
    ) -> Result<(), DatapathError> {
        if places.is_empty() {
            return Ok(());
        }
        let maps: Vec<i32> = maps.iter().map(AsRawFd::as_raw_fd).collect();
        let (_, result) = syscall::update_batch(self.map.fd().as_fd(), places, &maps);
        result.map_err(|error| self.error("fill places", &error))
    }

    /// Empties a place; answers whether there was something in it.
    pub(super) fn clear(&self, place: u32) -> Result<bool, DatapathError> {
        syscall::delete_element(self.map.fd().as_fd(), place)
            .map_err(|error| self.error("empty a place", &error))
    }

    fn error(&self, operation: &'static str, error: &io::Error) -> DatapathError {
        DatapathError::Map { operation, map: self.name.to_owned(), reason: error.to_string() }
    }
}
