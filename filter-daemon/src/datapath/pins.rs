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

/// Removes a pin, if there is one.
pub(super) fn remove_pin(path: &Path) -> Result<(), DatapathError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
