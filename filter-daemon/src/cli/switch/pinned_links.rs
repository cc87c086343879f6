//! The links that the daemon has pinned in the BPF file system, one file an
//! interface, named by its index. A link lives as long as somebody holds it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::net::if_::if_nameindex;

/// A pinned link.
#[derive(Debug)]
pub(super) struct PinnedLink {
    file: PathBuf,
    name: String,
    interface: Option<u32>,
}

/// Where links are pinned.
pub(super) fn folder(pins: &Path) -> PathBuf {
    pins.join("links")
}

/// All of them.
pub(super) fn list(pins: &Path) -> Result<Vec<PinnedLink>, String> {
    let folder = folder(pins);
    let cannot =
        |error: io::Error| format!("cannot read {}: {error}; this needs root", folder.display());
    let files = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files.map_err(cannot)?,
    };
    let names = interface_names();
    files.map(|file| Ok(PinnedLink::new(&file.map_err(cannot)?.path(), &names))).collect()
}

fn interface_names() -> Vec<(u32, String)> {
    let Ok(interfaces) = if_nameindex() else { return Vec::new() };
    interfaces
        .iter()
        .map(|interface| (interface.index(), interface.name().to_string_lossy().into_owned()))
        .collect()
}

impl PinnedLink {
    fn new(file: &Path, names: &[(u32, String)]) -> Self {
        let title = file.file_name().unwrap_or_default().to_string_lossy();
        let known = title
            .parse::<u32>()
            .ok()
            .and_then(|index| names.iter().find(|(known, _)| *known == index));
        Self {
            file: file.to_owned(),
            name: known.map_or_else(|| format!("interface {title}"), |(_, name)| name.clone()),
            interface: known.map(|(index, _)| *index),
        }
    }

    /// The name of its interface.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The index of its interface, if that exists.
    pub(super) fn interface(&self) -> Option<u32> {
        self.interface
    }

    /// Removes the file.
    pub(super) fn remove(&self) -> Result<(), String> {
        fs::remove_file(&self.file)
            .map_err(|error| format!("cannot remove {}: {error}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_interface_index() {
        let pins = tempfile::tempdir().expect("folder");
        assert!(list(pins.path()).expect("no folder, no link").is_empty());
        fs::create_dir(folder(pins.path())).expect("folder");
        for index in ["1", "4000000000"] {
            fs::write(folder(pins.path()).join(index), "").expect("file");
        }
        let mut links = list(pins.path()).expect("readable");
        links.sort_by_key(|link| link.interface());
        assert_eq!((links[0].name(), links[0].interface()), ("interface 4000000000", None));
        assert_eq!((links[1].name(), links[1].interface()), ("lo", Some(1)));
        links.iter().for_each(|link| link.remove().expect("removable"));
        assert!(list(pins.path()).expect("readable").is_empty());
    }
}
