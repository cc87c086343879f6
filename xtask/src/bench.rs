//! `cargo xtask bench`: how fast the packet path is, beside others.
//!
//! Installs the filters that are compared with, builds and installs the release
//! below a folder of its own, and lets the benchmark of the `tests` crate
//! measure it. Owns what of the outcome goes into the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

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

    /// Fewer sizes, rounds and frames: shows that it works, proves no figure
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// The program alone, by BPF_PROG_TEST_RUN
    Lookup,
    /// Frames over veth, against other filters
    Live,
    /// From a change to its effect
    Changes,
    /// Start and restart
    Restart,
}

/// Measures, and writes what was asked for.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(setup::Purpose::Bench)?;
    let installed = workspace::target().join(ROOT);
    install::below(&installed)?;
    let mut cargo = process::cargo();
    cargo
        .args(["bench", "--quiet", "--package", "filter-tests", "--bench", "packets", "--"])
        .arg("--object")
        .arg(object::build_bench()?.canonicalize()?)
        .args(["--commit", &commit()?])
        .env("FILTERD_ROOT", installed.canonicalize()?);
    let markdown = workspace::target().join("bench.md");
    pass_on(options, &markdown, &mut cargo)?;
    process::run_built_as_root(&mut cargo)?;
    process::run(&mut cargo)?;
    if options.readme {
        section::write(workspace::root(), "bench", &fs::read_to_string(&markdown)?)?;
    }
    Ok(())
}

fn pass_on(options: &Options, markdown: &Path, cargo: &mut Command) -> Result<()> {
    for part in &options.parts {
        let name = part.to_possible_value().context("every part has a name")?;
        cargo.arg(name.get_name());
    }
    if options.quick {
        cargo.arg("--quick");
    }
    if let Some(sizes) = &options.sizes {
        cargo.args(["--sizes", sizes]);
    }
    let table = workspace::root().join(TABLE);
    let (svg, markdown) = match options.readme {
        true => (Some(workspace::root().join(CHART)), Some(markdown.to_owned())),
        false => (options.svg.clone(), None),
    };
    let files = [
        ("--table", table.exists().then_some(table)),
        ("--json", options.json.clone()),
        ("--svg", svg),
        ("--markdown", markdown),
    ];
    for (flag, file) in files {
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
