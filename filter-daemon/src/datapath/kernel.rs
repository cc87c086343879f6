//! What the running kernel must offer.

use std::path::Path;

use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use nix::sys::utsname::uname;

use super::{DatapathError, file_error};

const OLDEST: (u32, u32) = (6, 1);

/// Checks the release, makes the pin directory, and checks that it is on a BPF
/// file system.
pub(super) fn check(pins: &Path) -> Result<(), DatapathError> {
    check_release()?;
    check_place(pins)?;
    super::world::make_directory(pins)
}

/// Checks that the pin directory would lie on a BPF file system.
pub(super) fn check_place(pins: &Path) -> Result<(), DatapathError> {
    let parent = pins.parent().unwrap_or(pins);
    let kind = statfs(parent).map_err(|e| file_error("look at", parent)(e.into()))?;
    if kind.filesystem_type() != BPF_FS_MAGIC {
        return Err(DatapathError::NotBpffs(pins.to_owned()));
    }
    Ok(())
}

fn check_release() -> Result<(), DatapathError> {
    let name = uname().map_err(|e| file_error("read", Path::new("uname"))(e.into()))?;
    let release = name.release().to_string_lossy();
    if release_number(&release).is_some_and(|found| found < OLDEST) {
        return Err(DatapathError::Kernel { found: release.into_owned() });
    }
    Ok(())
}

fn release_number(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_by_number() {
        for (release, new_enough) in [
            ("6.1.0-18-cloud-amd64", true),
            ("6.10.3", true),
            ("7.0.0-rc1", true),
            ("6.0.19", false),
            ("5.15.0-91-generic", false),
        ] {
            let number = release_number(release).expect(release);
            assert_eq!(number >= OLDEST, new_enough, "{release}");
        }
    }
}
