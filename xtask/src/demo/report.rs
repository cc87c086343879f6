//! What was tried, what was meant to happen, and what did.

use std::fmt;
use std::process::ExitCode;
use std::thread;

use anyhow::{Result, anyhow};
use comfy_table::{Table, presets};

use super::scenario::Case;

/// The cases with their outcomes.
#[derive(Debug)]
pub(super) struct Report<'n> {
    cases: Vec<Case<'n>>,
    /// For each case, how many attempts got through without a filter.
    unfiltered: Vec<usize>,
    /// The same with the filter on.
    filtered: Vec<usize>,
}

impl<'n> Report<'n> {
    /// Tries everything while there is no filter: what does not get through
    /// now would prove nothing later.
    pub(super) fn without_filter(cases: Vec<Case<'n>>) -> Result<Self> {
        let unfiltered = try_all(&cases)?;
        Ok(Self { cases, unfiltered, filtered: Vec::new() })
    }

    /// Tries everything again with the filter on.
    pub(super) fn with_filter(&mut self) -> Result<()> {
        self.filtered = try_all(&self.cases)?;
        Ok(())
    }

    /// Success when every line came out as meant.
    pub(super) fn verdict(&self) -> ExitCode {
        match self.outcomes().all(|outcome| outcome.is_as_meant()) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    fn outcomes(&self) -> impl Iterator<Item = Outcome<'_>> {
        let counts = self.unfiltered.iter().zip(&self.filtered);
        self.cases.iter().zip(counts).map(|(case, (unfiltered, filtered))| Outcome {
            case,
            unfiltered: *unfiltered,
            filtered: *filtered,
        })
    }
}

/// One line of the report.
struct Outcome<'r> {
    case: &'r Case<'r>,
    unfiltered: usize,
    filtered: usize,
}

impl Outcome<'_> {
    fn is_as_meant(&self) -> bool {
        let all = self.case.attempts.len();
        self.unfiltered == all && self.filtered == if self.case.admitted { all } else { 0 }
    }

    fn row(&self) -> [String; 7] {
        let first = &self.case.attempts[0];
        let all = self.case.attempts.len();
        let meant = if self.case.admitted { all } else { 0 };
        [
            format!("{}, {}", self.case.caller, sources(self.case)),
            self.case.callee.to_owned(),
            format!("IPv{}", if first.source.is_ipv6() { 6 } else { 4 }),
            first.protocol.name().to_owned(),
            count(self.unfiltered, all),
            count(meant, all),
            format!(
                "{}{}",
                count(self.filtered, all),
                if self.is_as_meant() { "" } else { "  WRONG" }
            ),
        ]
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["FROM", "TO", "IP", "PROTOCOL", "NO FILTER", "EXPECTED", "GOT THROUGH"]);
        for outcome in self.outcomes() {
            table.add_row(outcome.row());
        }
        writeln!(f, "{table}\n")?;
        let wrong = self.outcomes().filter(|outcome| !outcome.is_as_meant()).count();
        match wrong {
            0 => write!(f, "All {} lines came out as expected.", self.cases.len()),
            _ => write!(f, "{wrong} of {} lines did NOT come out as expected.", self.cases.len()),
        }
    }
}

fn sources(case: &Case<'_>) -> String {
    match case.attempts.as_slice() {
        [only] => only.source.to_string(),
        many => format!("all {}", many.len()),
    }
}

fn count(got: usize, all: usize) -> String {
    match (got, all) {
        (0, 1) => "no".to_owned(),
        (1, 1) => "yes".to_owned(),
        _ => format!("{got} of {all}"),
    }
}

/// How many attempts of each case get through. All are made at one time, so
/// that waiting for those that do not is over in one go.
fn try_all(cases: &[Case<'_>]) -> Result<Vec<usize>> {
    thread::scope(|scope| {
        let running: Vec<Vec<_>> = cases
            .iter()
            .map(|case| {
                let start = |attempt| scope.spawn(move || case.succeeds(attempt));
                case.attempts.iter().map(start).collect()
            })
            .collect();
        let mut counts = Vec::with_capacity(running.len());
        for case in running {
            let mut got_through = 0;
            for attempt in case {
                let succeeded = attempt.join().map_err(|_| anyhow!("an attempt panicked"))??;
                got_through += usize::from(succeeded);
            }
            counts.push(got_through);
        }
        Ok(counts)
    })
}
