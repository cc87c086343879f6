//! Pins of single maps.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use aya::maps::MapData;

use super::error::chain;
use super::{DatapathError, file_error};

/// Pins a map where there is no pin yet.
pub(super) fn pin(map: &MapData, path: &Path) -> Result<(), DatapathError> {
    map.pin(path).map_err(|error| DatapathError::Map {
        operation: "pin",
        map: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        reason: chain(&error),
    })
}

/// The numbers behind a text in the names of a directory's pins, rising.
pub(super) fn numbers(directory: &Path, text: &str) -> Result<Vec<u32>, DatapathError> {
    let listing = fs::read_dir(directory).map_err(file_error("list", directory))?;
    let names = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<u32> =
        names.filter_map(|name| name.strip_prefix(text)?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes a pin, if there is one.
pub(super) fn remove_pin(path: &Path) -> Result<(), DatapathError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
