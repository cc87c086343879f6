//! Where and when, and with what.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// What a figure must not be read without.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The day.
    pub date: String,
    /// The model of its CPUs.
    pub cpu: String,
    /// How many it has.
    pub cpus: usize,
    /// The version of Linux.
    pub kernel: String,
    /// The commit that was measured.
    pub commit: String,
    /// Whether the figures prove nothing.
    pub quick: bool,
    /// Debian package and version of each program that was compared with.
    pub peers: Vec<(&'static str, String)>,
}

impl Machine {
    /// This one, now, with some packages of Debian.
    pub fn here(commit: &str, quick: bool, packages: &[&'static str]) -> Self {
        Self {
            date: jiff::Timestamp::now().strftime("%F").to_string(),
            cpu: cpu_model().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease"),
            commit: commit.to_owned(),
            quick,
            peers: packages.iter().map(|package| (*package, version(package))).collect(),
        }
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let Self { date, cpu, cpus, kernel, commit, quick, peers } = self;
        let peers: Vec<String> =
            peers.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let quick = if *quick { ", a quick run whose figures prove nothing" } else { "" };
        format!(
            "{date}, {cpu} with {cpus} CPUs, Linux {kernel}, commit {commit}, {}{quick}",
            peers.join(", ")
        )
    }
}

fn cpu_model() -> Option<String> {
    let facts = read("/proc/cpuinfo");
    let line = facts.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn version(package: &str) -> String {
    let query = Command::new("dpkg-query").args(["--show", "-f", "${Version}", package]).output();
    let version = query.ok().filter(|output| output.status.success());
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    version.unwrap_or_else(|| "of unknown version".to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
