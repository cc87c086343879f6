//! Network namespaces of a test's own.
//!
//! A namespace is anonymous: it is made by `unshare` on a thread of its own
//! and held by a descriptor, so it ends, with its interfaces, when the
//! descriptor is closed, also after a panic or `kill -9`. Threads enter it by
//! `setns`, processes through `nsenter --net=` (`ip netns exec` would hide
//! bpffs).

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace.
#[derive(Debug)]
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// A fresh one, with `lo` up.
    pub fn new() -> Self {
        let file = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace can be made (root)");
            File::open("/proc/thread-self/ns/net").expect("this thread has a namespace")
        })
        .join()
        .expect("the thread only makes a namespace");
        let namespace = Self { file };
        namespace.ip("link set lo up");
        namespace
    }

    /// The one that this thread is in.
    pub fn current() -> Self {
        let file = File::open("/proc/thread-self/ns/net").expect("this thread has a namespace");
        Self { file }
    }

    /// A path by which other processes reach it, as long as this one lives.
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()).into()
    }

    /// Moves the calling thread into it, for good.
    pub fn enter(&self) {
        setns(self.file.as_fd(), CloneFlags::CLONE_NEWNET).expect("the namespace exists");
    }

    /// Runs something inside, on a thread of its own; a panic goes on here.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let result = thread::scope(|scope| {
            scope
                .spawn(|| {
                    self.enter();
                    work()
                })
                .join()
        });
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// A command that will run inside.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Runs `ip` with arguments split at spaces; it must succeed.
    pub fn ip(&self, arguments: &str) -> Output {
        let output = self.try_ip(arguments);
        assert!(
            output.status.success(),
            "ip {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs `ip` with arguments split at spaces.
    pub fn try_ip(&self, arguments: &str) -> Output {
        self.command("ip")
            .args(arguments.split_ascii_whitespace())
            .output()
            .expect("nsenter and ip are installed (cargo xtask setup)")
    }

    /// Writes a setting under /proc/sys/net.
    pub fn sysctl(&self, key: &str, value: &str) {
        let path = format!("/proc/sys/net/{key}");
        self.run(|| std::fs::write(&path, value))
            .unwrap_or_else(|error| panic!("{path} = {value}: {error}"));
    }

    /// The index of an interface inside, if there is one of the name.
    pub fn interface_index(&self, name: &str) -> Option<u32> {
        self.run(|| nix::net::if_::if_nametoindex(name).ok())
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}
