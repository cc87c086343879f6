//! `cargo xtask bench`: how fast the packet path and the proxy are, beside others.
//!
//! Installs the filters and proxies that are compared with, builds and installs
//! the release below a folder of its own, and lets the benchmarks of the `tests`
//! crate measure it. Owns what of the outcome goes into the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::{install, object, process, section, setup, workspace};

/// Where the measured tree begins, below the target directory.
const ROOT: &str = "bench-root";

/// The routing table, beside the checkout.
const TABLE: &str = "../shared/data/bgp-prefixes.txt.gz";

/// The README's chart, below the checkout.
const CHART: &str = "tests/benches/packets.svg";

/// What to measure, and what becomes of it.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What to measure; everything when nothing is named
    #[arg(value_enum)]
    parts: Vec<Part>,

    /// Fewer and smaller rounds: shows that it works, proves no figure
    #[arg(long)]
    quick: bool,

    /// Entries of the random lists, separated by commas
    #[arg(long, value_name = "N,…")]
    sizes: Option<String>,

    /// Write everything that was measured
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Draw the chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write tables and chart into the checkout, for the README
    #[arg(long, conflicts_with = "svg")]
    readme: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The program alone, by BPF_PROG_TEST_RUN
    Lookup,
    /// The compiled table that the proxy asks
    UserSpace,
    /// Frames over veth, against other filters
    Live,
    /// From a change to its effect
    Changes,
    /// Start and restart
    Restart,
    /// The proxy, against nginx and HAProxy
    Proxy,
}

/// Measures, and writes what was asked for.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(setup::Purpose::Bench)?;
    let installed = workspace::target().join(ROOT);
    install::below(&installed)?;
    let installed = installed.canonicalize()?;
    let mut measured = Map::new();
    if options.wants_packets() {
        let packets = Benchmark { name: "packets", section: "bench", options, root: &installed };
        measured.append(&mut packets.run(|cargo| pass_on(options, cargo))?);
    }
    if options.wants(Part::Proxy) {
        let proxy = Benchmark { name: "proxy", section: "bench-proxy", options, root: &installed };
        measured.insert("proxy".to_owned(), proxy.run(|_| Ok(()))?.into());
    }
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_string_pretty(&measured)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    fn wants_packets(&self) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|part| *part != Part::Proxy)
    }
}

/// A benchmark of the `tests` crate.
struct Benchmark<'a> {
    name: &'a str,
    /// Its part of the README.
    section: &'a str,
    options: &'a Options,
    /// Where the measured tree begins.
    root: &'a Path,
}

impl Benchmark<'_> {
    /// Runs it with arguments that it alone knows; answers what it measured.
    fn run(&self, add: impl FnOnce(&mut Command) -> Result<()>) -> Result<Map<String, Value>> {
        let target = std::path::absolute(workspace::target())?;
        let outcome = |kind| target.join(format!("bench-{}.{kind}", self.name));
        let (json, markdown) = (outcome("json"), outcome("md"));
        let mut cargo = process::cargo();
        cargo
            .args(["bench", "--quiet", "--package", "filter-tests", "--bench", self.name, "--"])
            .args(["--commit", &commit()?])
            .arg("--json")
            .arg(&json)
            .arg("--markdown")
            .arg(&markdown)
            .env("FILTERD_ROOT", self.root);
        if self.options.quick {
            cargo.arg("--quick");
        }
        add(&mut cargo)?;
        process::run_built_as_root(&mut cargo)?;
        process::run(&mut cargo)?;
        if self.options.readme {
            section::write(workspace::root(), self.section, &fs::read_to_string(&markdown)?)?;
        }
        Ok(serde_json::from_slice(&fs::read(&json)?)?)
    }
}

/// What the benchmark of packets alone is told.
fn pass_on(options: &Options, cargo: &mut Command) -> Result<()> {
    cargo.arg("--object").arg(object::build_bench()?.canonicalize()?);
    for part in options.parts.iter().filter(|part| **part != Part::Proxy) {
        let name = part.to_possible_value().context("every part has a name")?;
        cargo.arg(name.get_name());
    }
    if let Some(sizes) = &options.sizes {
        cargo.args(["--sizes", sizes]);
    }
    let table = workspace::root().join(TABLE);
    let svg = match options.readme {
        true => Some(workspace::root().join(CHART)),
        false => options.svg.clone(),
    };
    for (flag, file) in [("--table", table.exists().then_some(table)), ("--svg", svg)] {
        if let Some(file) = file {
            // Cargo runs a benchmark in the folder of its package.
            cargo.arg(flag).arg(std::path::absolute(file)?);
        }
    }
    Ok(())
}

/// The commit of the checkout, and whether it is changed.
fn commit() -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(workspace::root()).args(["describe", "--always", "--dirty", "--exclude", "*"]);
    Ok(process::output(&mut git)?.trim().to_owned())
}
