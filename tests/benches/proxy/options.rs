//! What is asked of the benchmark.

use std::path::PathBuf;

use clap::Parser;

/// Measures filterd's proxy.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Fewer rounds and shorter ones: shows that it works, proves no figure
    #[arg(long)]
    pub(crate) quick: bool,

    /// The commit that is measured
    #[arg(long, value_name = "ID")]
    pub(crate) commit: String,

    /// Writes everything that was measured
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes the tables of the README
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// Cargo says this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}
