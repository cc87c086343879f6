//! Chromium itself, as a process in a namespace with a home of its own, which
//! is thrown away with it. It trusts the daemon's authority as a user would
//! have it, and nothing that it is not told to. It finds no host but the
//! test's: no other name resolves, and the namespace has no way out.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use filter_tests::deadline::{PATIENCE, within};
use filter_tests::namespace::Namespace;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::pages::DOMAIN;
use crate::stage::{NAME, PROXY};

const ARGUMENTS: [&str; 14] = [
    "--headless",
    // Root has no sandbox, and a container little shared memory.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    // What is said in the page's console is worth reading after a failure.
    "--enable-logging=stderr",
    "--no-first-run",
    // Nothing is asked but what the page asks, and as it asks it.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--disable-features=HttpsUpgrades,NetworkTimeServiceQuerying",
];

/// A browser with one page open.
pub(crate) struct Browser {
    child: Child,
    home: TempDir,
}

impl Browser {
    /// Opens a page.
    pub(crate) fn open(namespace: &Namespace, authority: &Path, page: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory can be made");
        trust(home.path(), authority);
        let log = File::create(home.path().join("log")).expect("the directory is ours");
        let rules = format!("MAP {NAME} {PROXY},MAP *.{DOMAIN} {PROXY},MAP * ~NOTFOUND");
        let child = namespace
            .command("chromium")
            // The session of whoever runs the tests is none of its business.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("cargo was found by it"))
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
            .arg(format!("--host-resolver-rules={rules}"))
            .arg(page)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be opened twice"))
            .stderr(log)
            .spawn()
            .expect("it is installed (cargo xtask setup)");
        Self { child, home }
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the child is ours").is_none()
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Browser {
    /// It takes its own processes along when it is asked to end.
    fn drop(&mut self) {
        if self.is_running() {
            let pid = i32::try_from(self.child.id()).expect("process ids fit");
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            if within(PATIENCE, || (!self.is_running()).then_some(())).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

/// Puts an authority among those that the user of a home trusts.
fn trust(home: &Path, authority: &Path) {
    let database = home.join(".pki/nssdb");
    fs::create_dir_all(&database).expect("the directory is ours");
    run(certutil(&database).args(["-N", "--empty-password"]));
    run(certutil(&database).args(["-A", "-n", "filterd", "-t", "C,,", "-i"]).arg(authority));
}

fn certutil(database: &Path) -> Command {
    let mut command = Command::new("certutil");
    command.arg("-d").arg(format!("sql:{}", database.display()));
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("it is installed (cargo xtask setup)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
