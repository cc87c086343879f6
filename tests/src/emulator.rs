//! Another kernel, emulated, with one program as its user space.
//!
//! Slow, and in need of nothing: no KVM, no disk, no network. What the program
//! prints comes out of the serial line.

mod initramfs;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::deadline::within;

/// How long a kernel may take to start, to run a program and to end: seconds
/// on a machine that is idle.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a program ended, and what the machine printed.
#[derive(Debug)]
pub struct Ended {
    /// The program's status; none when the machine never came to that.
    pub status: Option<i32>,
    /// Everything that came out of the serial line.
    pub console: String,
}

/// A running machine, which ends with this.
struct Machine(Child);

/// Boots a kernel and runs a program with plain words as its arguments, as
/// root, with proc and sysfs mounted. The program brings its libraries.
pub fn run(kernel: &Path, program: &Path, arguments: &[&str]) -> Ended {
    assert!(kernel.is_file(), "there is no kernel at {}", kernel.display());
    let directory = tempfile::tempdir().expect("a directory can be made");
    let initramfs = initramfs::build(directory.path(), program, arguments);
    let console = directory.path().join("console");
    let mut machine = Machine::start(kernel, &initramfs, &console);
    let ended = within(PATIENCE, || machine.0.try_wait().expect("the child is ours"));
    let console = fs::read(&console).expect("the console is a file");
    let console = String::from_utf8_lossy(&console).replace('\r', "");
    assert!(ended.is_some(), "the machine still runs after {PATIENCE:?}:\n{console}");
    Ended { status: initramfs::status(&console), console }
}

impl Machine {
    fn start(kernel: &Path, initramfs: &Path, console: &Path) -> Self {
        let console = File::create(console).expect("the directory is ours");
        let child = Command::new("qemu-system-x86_64")
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512M"])
            .args(["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"])
            // A panic reboots at once, and that ends the machine.
            .args(["-append", "console=ttyS0 quiet panic=-1", "-kernel"])
            .arg(kernel)
            .arg("-initrd")
            .arg(initramfs)
            .stdin(Stdio::null())
            .stdout(console.try_clone().expect("a file can be opened twice"))
            .stderr(console)
            .spawn()
            .expect("qemu is installed (cargo xtask setup)");
        Self(child)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // One that has ended already is waited for all the same.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
