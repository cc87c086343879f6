//! The installed daemon, started as its unit starts it: the unit's
//! capabilities and no others, folders of its own, readiness told through the
//! notification socket.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::namespace::Namespace;
use super::undo::{Step, Undo};
use crate::{process, unit};

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const PINS: &str = "/sys/fs/bpf";
const PINS_PREFIX: &str = "filterd-demo-";

/// A running daemon.
#[derive(Debug)]
pub(super) struct Filterd<'n> {
    namespace: &'n Namespace,
    filterctl: PathBuf,
    config: PathBuf,
}

impl<'n> Filterd<'n> {
    /// Starts it in a namespace and waits until it is ready.
    pub(super) fn start(installed: &Path, namespace: &'n Namespace, undo: &Undo) -> Result<Self> {
        remove_left_over_pins()?;
        let folder = undo.make(make_folder)?;
        let pins = undo.make(name_pins)?;
        let config = folder.join("filterd.toml");
        fs::write(&config, config_text(&folder, &pins))?;
        println!("{}", fs::read_to_string(&config)?);

        let ready = UnixDatagram::bind(folder.join("notify"))?;
        ready.set_read_timeout(Some(Duration::from_millis(50)))?;
        let log = folder.join("log");
        let program = installed.join("usr/local/sbin/filterd");
        let mut command = confined(namespace, &program)?;
        command
            .arg("--config")
            .arg(&config)
            .env("NOTIFY_SOCKET", folder.join("notify"))
            .stdin(Stdio::null())
            .stderr(File::create(&log)?)
            // Ctrl-C on the terminal is ours to handle.
            .process_group(0);
        println!("$ {}", process::text(&command));
        let pid = undo.make(|| start(&mut command))?;
        wait_until_ready(&ready, pid, &log)?;
        let filterctl = installed.join("usr/local/bin/filterctl");
        Ok(Self { namespace, filterctl, config })
    }

    /// Types a line of `filterctl`, and shows it with its answer.
    pub(super) fn show(&self, words: &[impl AsRef<OsStr>]) -> Result<()> {
        let mut command = self.namespace.command(&self.filterctl);
        // `--yes`: whoever is logged in over SSH is on no list of the demo, and
        // not in its network either.
        command.arg("--config").arg(&self.config).arg("--yes").args(words);
        println!("$ filterctl {}", process::words(words));
        process::run(command.stdin(Stdio::null()))
    }
}

fn make_folder() -> Result<(PathBuf, Step)> {
    let folder = TempDir::with_prefix("filterd-demo-")?;
    let path = folder.path().to_owned();
    Ok((path, Box::new(move || drop(folder))))
}

fn name_pins() -> Result<(PathBuf, Step)> {
    let pins = Path::new(PINS).join(format!("{PINS_PREFIX}{}", std::process::id()));
    let path = pins.clone();
    Ok((path, Box::new(move || remove(&pins))))
}

/// A demo that was killed by force could not clean up.
fn remove_left_over_pins() -> Result<()> {
    for file in fs::read_dir(PINS)?.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix(PINS_PREFIX) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            remove(&file.path());
        }
    }
    Ok(())
}

fn remove(pins: &Path) {
    if pins.exists()
        && let Err(error) = fs::remove_dir_all(pins)
    {
        eprintln!("cannot remove {}: {error}", pins.display());
    }
}

fn config_text(folder: &Path, pins: &Path) -> String {
    let [folder, pins] = [folder, pins].map(Path::display);
    format!(
        "[paths]\n\
         state = \"{folder}/state\"\n\
         control_socket = \"{folder}/run/control.sock\"\n\
         pins = \"{pins}\"\n\
         \n\
         [[interface]]\n\
         name = \"eth*\"\n"
    )
}

fn confined(namespace: &Namespace, program: &Path) -> Result<Command> {
    let bounds = unit::capabilities()?.iter().map(|name| format!(",+{name}")).collect::<String>();
    let mut command = namespace.command("setpriv");
    command
        .args(["--no-new-privs", "--inh-caps=-all", "--pdeathsig=KILL"])
        .arg(format!("--bounding-set=-all{bounds}"))
        .arg(program);
    Ok(command)
}

fn start(command: &mut Command) -> Result<(Pid, Step)> {
    let mut child = command.spawn().context("cannot start filterd")?;
    let pid = Pid::from_raw(i32::try_from(child.id()).context("a process id fits")?);
    Ok((pid, Box::new(move || stop(&mut child, pid))))
}

fn stop(child: &mut Child, pid: Pid) {
    let _already_gone = kill(pid, Signal::SIGTERM);
    let deadline = Instant::now() + STOP_WITHIN;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            let _already_gone = child.kill();
            let _reaped = child.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn wait_until_ready(ready: &UnixDatagram, pid: Pid, log: &Path) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut message = [0; 512];
    loop {
        let length = ready.recv(&mut message).unwrap_or(0);
        if String::from_utf8_lossy(&message[..length]).lines().any(|line| line == "READY=1") {
            return Ok(());
        }
        if has_ended(pid) || Instant::now() > deadline {
            let said = fs::read_to_string(log).unwrap_or_default();
            bail!("filterd did not get ready; it said:\n{said}");
        }
    }
}

/// A child that has ended and was not waited for is a zombie.
fn has_ended(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state
        .rsplit(')')
        .next()
        .is_none_or(|rest| rest.trim_start().starts_with('Z') || rest.is_empty())
}
