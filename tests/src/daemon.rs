//! The installed daemon as a fixture.
//!
//! Starts the `filterd` that `cargo xtask install --destdir` put under
//! FILTERD_ROOT, in a namespace, with the capabilities of the installed unit
//! and nothing else, and talks to it only by its configuration file, its
//! control socket and the installed `filterctl`. What it made is removed when
//! the fixture is dropped.

pub mod admin;
pub mod configuration;
pub mod control;
pub mod drops;
pub mod unit;

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Group, Pid};
use tempfile::TempDir;

use crate::deadline::{PATIENCE, within};
use crate::namespace::Namespace;
use crate::pins::Pins;
pub use admin::{Admin, Connection, Protocol};
pub use configuration::Configuration;
pub use control::{Answer, AppPath, Control};
pub use drops::Drops;

/// Where `cargo xtask install --destdir` put everything.
pub fn root() -> PathBuf {
    match std::env::var_os("FILTERD_ROOT") {
        Some(root) => root.into(),
        None => panic!(
            "FILTERD_ROOT is not set: run `cargo xtask test`, or `cargo xtask install --destdir DIR` \
             and set FILTERD_ROOT=DIR"
        ),
    }
}

/// Directories, configuration and pins of one daemon; daemons that run on it
/// one after the other are one installation.
#[derive(Debug)]
pub struct Installation {
    directory: TempDir,
    configuration: Configuration,
    pins: Pins,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon<'a> {
    installation: &'a Installation,
    child: Child,
}

/// A daemon that did not get ready.
#[derive(Debug)]
pub struct NotReady {
    /// How it ended, if it did.
    pub status: Option<ExitStatus>,
    /// What it said.
    pub log: String,
}

impl Installation {
    /// Writes a configuration and makes the directories that the unit would.
    pub fn new(configuration: Configuration) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("filterd-test-")
            .tempdir()
            .expect("a directory can be made");
        let installation = Self { directory, configuration, pins: Pins::new() };
        for name in ["state", "run"] {
            let path = installation.path(name);
            fs::create_dir(&path).expect("a directory can be made");
            fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("it is ours");
        }
        installation.write_configuration(&installation.configuration.clone());
        installation
    }

    /// A path inside its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.path("run/control.sock")
    }

    /// The pin directory.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Puts another configuration in place.
    pub fn write_configuration(&self, configuration: &Configuration) {
        let text = configuration.text(&self.path("state"), &self.socket(), self.pins.path());
        self.write_configuration_text(&text);
    }

    /// Puts any text in the place of the configuration.
    pub fn write_configuration_text(&self, text: &str) {
        fs::write(self.path("filterd.toml"), text).expect("the directory is ours");
    }

    /// A client of the control socket.
    pub fn control(&self) -> Control {
        Control::new(self.socket())
    }

    /// Starts the daemon in a namespace and waits until it says that it is
    /// ready.
    pub fn start(&self, namespace: &Namespace) -> Daemon<'_> {
        self.try_start(namespace)
            .unwrap_or_else(|failure| panic!("filterd is not ready: {failure:#?}"))
    }

    /// Starts the daemon and waits until it is ready or has ended.
    pub fn try_start(&self, namespace: &Namespace) -> Result<Daemon<'_>, NotReady> {
        let notify = self.path("notify.sock");
        let _ = fs::remove_file(&notify);
        let ready = UnixDatagram::bind(&notify).expect("the directory is ours");
        ready.set_nonblocking(true).expect("a socket can be told not to wait");
        let mut daemon = Daemon { installation: self, child: self.spawn(namespace, &notify) };
        let mut ended = None;
        let is_ready = within(PATIENCE, || {
            let mut message = [0; 4096];
            while let Ok(length) = ready.recv(&mut message) {
                if message[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") {
                    return Some(true);
                }
            }
            ended = daemon.child.try_wait().expect("the child is ours");
            ended.is_some().then_some(false)
        });
        match is_ready {
            Some(true) => Ok(daemon),
            Some(false) | None => Err(NotReady { status: ended, log: self.log() }),
        }
    }

    /// What the daemons of this installation have said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// `filterctl` with arguments, in a namespace.
    pub fn filterctl(&self, namespace: &Namespace, arguments: &[&str]) -> Output {
        namespace
            .command(root().join("usr/local/bin/filterctl"))
            .arg("--config")
            .arg(self.path("filterd.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("filterctl is installed")
    }

    /// `filterd --check` of a file, in a namespace.
    pub fn check(&self, namespace: &Namespace, file: &str) -> Output {
        let mut command = namespace.command(root().join("usr/local/sbin/filterd"));
        command.args(["--check", "--config", file]).stdin(Stdio::null());
        command.output().expect("filterd is installed")
    }

    fn spawn(&self, namespace: &Namespace, notify: &Path) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("the directory is ours");
        self.command(namespace)
            .env("NOTIFY_SOCKET", notify)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be opened twice"))
            .stderr(log)
            .spawn()
            .expect("filterd is installed")
    }

    /// The command that runs the daemon: its namespace, then the capabilities
    /// of its unit. Both replace themselves, so the child is the daemon.
    fn command(&self, namespace: &Namespace) -> Command {
        let mut command = namespace.command("setpriv");
        command
            .arg(format!("--bounding-set=-all{}", unit::capabilities(&root())))
            .arg("--inh-caps=-all")
            .arg("--no-new-privs")
            .arg(match self.configuration.group.as_deref().map(Group::from_name) {
                Some(Ok(Some(group))) => format!("--groups={}", group.gid),
                Some(_) => panic!("there is no group {:?}", self.configuration.group),
                None => "--clear-groups".to_owned(),
            })
            .arg(root().join("usr/local/sbin/filterd"))
            .arg("--config")
            .arg(self.path("filterd.toml"));
        command
    }
}

impl Daemon<'_> {
    /// A client of its control socket.
    pub fn control(&self) -> Control {
        self.installation.control()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as systemd does, and waits.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let ended = within(PATIENCE, || self.child.try_wait().expect("the child is ours"));
        ended.unwrap_or_else(|| panic!("filterd did not stop:\n{}", self.installation.log()))
    }

    /// Kills it as nothing should, and waits.
    pub fn kill(mut self) -> ExitStatus {
        self.signal(Signal::SIGKILL);
        self.child.wait().expect("the child is ours")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the child is ours").is_none()
    }

    /// How much memory it holds now.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        kilobytes.map(|kilobytes: u64| kilobytes * 1024).ok_or_else(|| io::Error::other("no VmRSS"))
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("process ids fit");
        // A child that has ended already is waited for all the same.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::SIGKILL);
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of filterd ---\n{}", self.installation.log());
        }
    }
}

/// How long `filterctl` and the control socket may take at most.
pub const ANSWER: Duration = Duration::from_secs(60);
