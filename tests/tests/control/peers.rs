//! Who may use the socket.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use filter_tests::daemon::{Installation, root};

use super::client::stage;

/// Nobody in particular, and a group that every Debian has.
const NOBODY: u32 = 65534;
const GROUP: &str = "daemon";
const GROUP_ID: u32 = 1;

/// `filterctl status` as some user and group.
fn status_as(installation: &Installation, user: u32, group: u32) -> Output {
    Command::new("setpriv")
        .args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()])
        .arg(root().join("usr/local/bin/filterctl"))
        .arg("--socket")
        .arg(installation.socket())
        .args(["--json", "status"])
        .output()
        .expect("setpriv and filterctl are installed")
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").mode() & 0o7777
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn by_default_root_alone() {
    let (namespace, installation) = stage(|_| {});
    let _daemon = installation.start(&namespace);
    let (directory, socket) = (installation.path("run"), installation.socket());
    assert_eq!((mode(&directory), mode(&socket)), (0o700, 0o600));
    // The directories above are the test's own; only the daemon's count.
    open_to_all(&installation.path(""), 0o755);
    assert!(status_as(&installation, 0, 0).status.success());
    assert!(!status_as(&installation, NOBODY, NOBODY).status.success(), "kept out by the modes");
    // Somebody opens the modes: the peer's identity still says no.
    open_to_all(&directory, 0o777);
    open_to_all(&socket, 0o666);
    assert!(!status_as(&installation, NOBODY, NOBODY).status.success());
    let log = installation.log();
    let refusal = log.lines().find(|line| line.contains("refused at the control socket"));
    assert!(refusal.is_some_and(|line| line.contains("65534")), "{log}");
    assert!(status_as(&installation, 0, 0).status.success());
}

#[test]
fn members_of_the_configured_group() {
    let (namespace, installation) = stage(|configuration| {
        configuration.group = Some(GROUP.to_owned());
    });
    let _daemon = installation.start(&namespace);
    let (directory, socket) = (installation.path("run"), installation.socket());
    assert_eq!((mode(&directory), mode(&socket)), (0o750, 0o660));
    assert_eq!(fs::metadata(&socket).expect("it is there").gid(), GROUP_ID);
    open_to_all(&installation.path(""), 0o755);
    assert!(status_as(&installation, NOBODY, GROUP_ID).status.success(), "a member");
    assert!(!status_as(&installation, NOBODY, NOBODY).status.success(), "not a member");
    open_to_all(&directory, 0o777);
    open_to_all(&socket, 0o666);
    assert!(!status_as(&installation, NOBODY, NOBODY).status.success(), "not a member");
}
