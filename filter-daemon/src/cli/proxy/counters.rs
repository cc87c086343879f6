//! `filterctl proxy counters`.

use crate::cli::answers::ProxyCount;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output::{self, Columns};
use crate::proxy::Reason;

/// Shows what was counted.
pub(super) async fn run(invocation: &Invocation) -> Result<(), Failure> {
    let counts: Vec<ProxyCount> = invocation.client.read("/api/filter/v1/proxy/counters").await?;
    if invocation.json {
        return output::json(&counts);
    }
    if counts.is_empty() {
        return output::line("Nothing was counted yet");
    }
    let mut table = Columns::new(["App", "Reason", "Verdict", "Count", "Meaning"]);
    for count in &counts {
        table.row([
            count.app.as_deref().unwrap_or("-"),
            &count.reason,
            &count.verdict,
            &count.count.to_string(),
            explanation(&count.reason),
        ]);
    }
    table.print()
}

/// What a reason means; nothing for one of a newer daemon.
fn explanation(name: &str) -> &'static str {
    let reason = Reason::ALL.iter().find(|reason| reason.name() == name);
    reason.map_or("", |reason| reason.explanation())
}
