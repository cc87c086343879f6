//! The files of an emulated machine: busybox, the program, its libraries.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const ENDED: &str = "the program ended with ";

/// Writes an archive whose `init` runs the program and then ends the machine.
pub(super) fn build(directory: &Path, program: &Path, arguments: &[&str]) -> PathBuf {
    let (root, archive) = (directory.join("root"), directory.join("initramfs"));
    for mount_point in ["proc", "sys"] {
        fs::create_dir_all(root.join(mount_point)).expect("the directory is ours");
    }
    let busybox = find("busybox");
    copy(&busybox, &root, "bin/busybox");
    copy(program, &root, "program");
    for library in [&busybox, program].into_iter().flat_map(libraries) {
        copy(&library, &root, library.strip_prefix("/").expect("ldd prints absolute paths"));
    }
    let init = root.join("init");
    fs::write(&init, script(arguments)).expect("the directory is ours");
    fs::set_permissions(&init, Permissions::from_mode(0o755)).expect("it is ours");
    pack(&root, &archive);
    archive
}

/// The status that the console tells of.
pub(super) fn status(console: &str) -> Option<i32> {
    console.lines().find_map(|line| line.strip_prefix(ENDED)?.parse().ok())
}

fn script(arguments: &[&str]) -> String {
    format!(
        "#!/bin/busybox sh\n\
         /bin/busybox mount -t proc proc /proc\n\
         /bin/busybox mount -t sysfs sysfs /sys\n\
         /program {}\n\
         echo \"{ENDED}$?\"\n\
         /bin/busybox reboot -f\n",
        arguments.join(" ")
    )
}

fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program));
    files.find(|file| file.is_file()).expect("busybox is installed (cargo xtask setup)")
}

/// The libraries that a program is linked with, and their loader; none when it
/// is a static one.
fn libraries(program: impl AsRef<Path>) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program.as_ref()).output().expect("libc brings ldd");
    let text = String::from_utf8_lossy(&output.stdout);
    let paths =
        text.lines().filter_map(|line| line.split_whitespace().find(|w| w.starts_with('/')));
    paths.map(PathBuf::from).collect()
}

fn copy(from: &Path, root: &Path, to: impl AsRef<Path>) {
    let to = root.join(to);
    fs::create_dir_all(to.parent().expect("it is below the root")).expect("the root is ours");
    fs::copy(from, &to).unwrap_or_else(|error| panic!("cannot copy {}: {error}", from.display()));
}

fn pack(root: &Path, archive: &Path) {
    let status = Command::new("busybox")
        .args(["sh", "-c", "busybox find . | busybox cpio -o -H newc 2>/dev/null"])
        .current_dir(root)
        .stdout(File::create(archive).expect("the directory is ours"))
        .status()
        .expect("busybox is installed");
    assert!(status.success(), "cpio ends with {status}");
}
