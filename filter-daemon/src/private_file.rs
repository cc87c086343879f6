//! Files with secrets: for the daemon's user alone, there whole or not at all,
//! and still there after a power cut.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Puts a file in place, mode 0600; one of the name is replaced in one step.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    // Made with mode 0600, under a name that nobody can guess.
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The name is durable with its directory.
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_file_is_private_and_replaced_as_a_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        std::fs::write(&path, "an older, longer text").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        let before = std::fs::metadata(&path).expect("there").ino();
        write(&path, b"new").expect("written");
        let after = std::fs::metadata(&path).expect("there");
        assert_eq!(after.mode() & 0o7777, 0o600);
        assert_ne!(after.ino(), before, "the old file is not written into");
        assert_eq!(std::fs::read(&path).expect("read"), b"new");
        assert_eq!(std::fs::read_dir(directory.path()).expect("read").count(), 1, "no leftover");
    }
}
