//! `filterctl audit`: who changed what.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::invocation::Invocation;
use super::output::{self, Columns};

/// How far back.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// As many of the latest lines
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

/// A line of the audit log.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    sequence: u64,
    /// The revision of everything that filterd keeps.
    revision: u64,
    at: String,
    who: String,
    from: String,
    action: String,
    subject: String,
    detail: String,
    reason: String,
}

/// Shows the lines, latest first.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let path = "/api/filter/v1/audit";
    let lines = invocation.newest(path, options.limit, |line: &Line| line.sequence).await?;
    if invocation.json {
        return output::json(&lines);
    }
    if lines.is_empty() {
        return output::line("Nothing was changed yet");
    }
    let mut table =
        Columns::new(["No.", "When", "Who", "From", "What", "Subject", "Detail", "Reason"]);
    for line in &lines {
        table.row([
            &line.sequence.to_string(),
            &line.at,
            &line.who,
            &line.from,
            &line.action,
            &line.subject,
            &line.detail,
            &line.reason,
        ]);
    }
    table.print()
}
