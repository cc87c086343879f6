//! A full disk: refused, nothing half done, and on it goes once there is room.

use nix::mount::{MsFlags, mount, umount};

use super::*;

/// A file system of 2 MiB, gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where the test may not mount.
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let options = Some("size=2m,mode=0700");
        match mount(
            Some("filterd-test"),
            directory.path(),
            Some("tmpfs"),
            MsFlags::empty(),
            options,
        ) {
            Ok(()) => Some(Self(directory)),
            Err(errno) => {
                println!(
                    "skipped: a small file system cannot be mounted here ({errno}): run as root"
                );
                assert!(std::env::var_os("CI").is_none(), "nothing is skipped in CI");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Err(errno) = umount(self.0.path()) {
            eprintln!("{} stays mounted: {errno}", self.0.path().display());
        }
    }
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::new() else { return };
    let handle = open(disk.path(), LIMITS, Vec::new()).expect("a new store").0;
    let mut bench = Bench {
        directory: tempfile::tempdir().expect("unused"),
        handle: Some(handle),
        limits: LIMITS,
    };
    let app = bench.app("web");
    bench.add(app, "10.0.0.0/8").expect("new");
    let before = bench.state();
    let many: Vec<NewEntry> = (0..50_000)
        .map(|n: u32| entry(&std::net::Ipv4Addr::from(0x0b00_0000 + n).to_string()))
        .collect();
    let command = import_of(app, many, false);
    let error = bench.execute(command).expect_err("no room");
    assert!(matches!(error, StoreError::StorageFull { .. }), "{error}");
    assert_eq!(*bench.state(), *before);
    bench.add(app, "::1").expect("there is room for one");

    let filler = disk.path().join("filler");
    let error = std::fs::write(&filler, vec![1; 4 << 20]).expect_err("the disk is small");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    // What the journal has room for is still taken; then it is full for good.
    let mut taken = 1;
    let refused = loop {
        match bench.add(app, &format!("2001:db8::{taken:x}")) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 10_000, "a full disk takes everything");
    };
    assert!(matches!(refused, StoreError::StorageFull { .. }), "{refused}");
    std::fs::remove_file(&filler).expect("removed");
    bench.add(app, "2001:db8:1::").expect("room again");
    let after = bench.state();
    assert_eq!(after.apps[&app.app].list.len(), taken + 2);

    bench.close();
    let deadline = Instant::now() + Duration::from_secs(10);
    let reopened = loop {
        match open(disk.path(), LIMITS, Vec::new()) {
            Err(OpenError::Held { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            opened => break opened.expect("opened").0,
        }
    };
    assert_eq!(*reopened.state(), *after);
    bench.handle = Some(reopened);
    bench.close();
    while let Err(OpenError::Held { .. }) = super::super::directory::claim(disk.path()).map(drop) {
        assert!(Instant::now() < deadline, "the store does not close");
        std::thread::yield_now();
    }
    std::fs::write(&filler, vec![1; 4 << 20]).expect_err("the disk is small");
    let error = open(disk.path(), LIMITS, Vec::new()).expect_err("no room to start in");
    assert!(matches!(error, OpenError::Full { .. }), "{error}");
}
