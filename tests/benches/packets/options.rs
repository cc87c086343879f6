//! What is asked of the benchmark.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures filterd's packet path.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// What to measure; everything when nothing is named
    #[arg(value_enum)]
    parts: Vec<Part>,

    /// Fewer sizes, rounds and frames: shows that it works, proves no figure
    #[arg(long)]
    pub(crate) quick: bool,

    /// Entries of the random lists
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub(crate) sizes: Vec<usize>,

    /// The benchmark's BPF programs
    #[arg(long, value_name = "FILE")]
    pub(crate) object: PathBuf,

    /// A routing table: a prefix a line, gzipped
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,

    /// The commit that is measured
    #[arg(long, value_name = "ID")]
    pub(crate) commit: String,

    /// Writes everything that was measured
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Draws the chart
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Writes the tables of the README
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// Cargo says this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
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
}

impl Options {
    /// Whether a part is to be measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}
