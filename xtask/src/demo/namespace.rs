//! A network namespace of the demo's own.
//!
//! It is held by a descriptor and has no name, so it ends with the process,
//! also after `kill -9`. Programs enter it by `nsenter --net=`: `ip netns exec`
//! would hide the BPF file system from them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace.
#[derive(Debug)]
pub(super) struct Namespace {
    file: File,
}

impl Namespace {
    /// A fresh one; even its `lo` is down.
    pub(super) fn new() -> Result<Self> {
        let made = thread::spawn(|| -> Result<File> {
            unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")?;
            Ok(File::open("/proc/thread-self/ns/net")?)
        });
        let file = made.join().map_err(|_| anyhow!("making a namespace failed"))??;
        Ok(Self { file })
    }

    /// A path by which other programs reach it while this one runs.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()).into()
    }

    /// A program that runs inside.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Runs something inside, on a thread of its own.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let inside = || {
            setns(self.file.as_fd(), CloneFlags::CLONE_NEWNET).context("cannot enter")?;
            work()
        };
        thread::scope(|scope| scope.spawn(inside).join())
            .map_err(|_| anyhow!("the thread inside the namespace panicked"))?
    }

    /// Carries out lines as `ip` takes them.
    pub(super) fn ip(&self, lines: &str) -> Result<()> {
        let mut ip = self.command("ip");
        let mut child = ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn()?;
        child.stdin.take().context("the child has a pipe")?.write_all(lines.as_bytes())?;
        ensure!(child.wait()?.success(), "`ip -batch` failed on:\n{lines}");
        Ok(())
    }
}
