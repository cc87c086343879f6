//! How much memory the kernel holds for what is pinned.

use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use aya::maps::MapData;

/// Bytes of all maps among the pins, each counted once.
pub(crate) fn bytes(pins: &[PathBuf]) -> Result<u64> {
    let mut sizes = HashMap::new();
    for pin in pins {
        let Ok(object) = MapData::from_pin(pin) else { continue };
        let facts = format!("/proc/self/fdinfo/{}", object.fd().as_fd().as_raw_fd());
        let facts = fs::read_to_string(facts)?;
        let value = |key: &str| {
            let line = facts.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.trim().parse::<u64>().ok())
        };
        // Programs and links are pinned as well, and are no maps.
        let Some(id) = value("map_id:") else { continue };
        sizes.insert(id, value("memlock:").context("the kernel says how large a map is")?);
    }
    Ok(sizes.values().sum())
}
