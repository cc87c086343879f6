//! Files that filterctl writes: as a whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::failure::Failure;
use super::invocation::Invocation;
use super::output;

/// The mode of a new file, less the umask.
const NEW_FILE: u32 = 0o666;

/// Writes to a file and says so, or prints where none is named. `what` is the
/// beginning of a sentence that goes on with "was written".
pub(super) fn put(
    invocation: &Invocation,
    file: Option<&Path>,
    bytes: &[u8],
    what: &str,
) -> Result<(), Failure> {
    let Some(file) = file else { return output::write(bytes) };
    write(file, bytes)
        .map_err(|error| Failure::new(format!("{}: cannot be written: {error}", file.display())))?;
    match invocation.json {
        true => output::json(&json!({ "file": file, "bytes": bytes.len() })),
        false => output::line(&format!("Wrote {what} to {}", file.display())),
    }
}

/// A reader of the file sees what was there before or all of what is written.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    // What is written through a link is what the link leads to.
    let target = match fs::canonicalize(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        outcome => outcome?,
    };
    let existing = match fs::metadata(&target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        outcome => Some(outcome?),
    };
    match existing {
        // A pipe or a device is no file that could be put in place.
        Some(existing) if !existing.is_file() => {
            fs::OpenOptions::new().write(true).open(&target)?.write_all(bytes)
        }
        Some(existing) => replace(&target, bytes, Some(existing.permissions())),
        None => replace(&target, bytes, None),
    }
}

fn replace(target: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<()> {
    let mut new = tempfile::Builder::new()
        .prefix(".filterctl-")
        .permissions(Permissions::from_mode(NEW_FILE))
        .tempfile_in(directory(target))?;
    if let Some(permissions) = permissions {
        new.as_file().set_permissions(permissions)?;
    }
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(target)?;
    Ok(())
}

fn directory(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("it is ours");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_replaced_and_keep_their_mode() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("list");
        write(&file, b"one").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("it is ours");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("list", &link).expect("a link");
        write(&link, b"two").expect("written");
        assert_eq!(fs::read(&file).expect("readable"), b"two");
        let mode = fs::metadata(&file).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        assert_eq!(names(directory.path()), ["link", "list"]);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let null = Path::new("/dev/null");
        write(null, b"gone").expect("written");
        assert!(!fs::metadata(null).expect("it is there").is_file());
        let directory = tempfile::tempdir().expect("a directory");
        assert!(write(directory.path(), b"x").is_err());
        assert!(write(&directory.path().join("no/list"), b"x").is_err());
        assert!(names(directory.path()).is_empty());
    }
}
