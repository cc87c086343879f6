//! `filterctl counters`: what was counted, by app and reason.

use clap::Args;
use filter_common::reason::Reason;

use super::answers::Counter;
use super::failure::Failure;
use super::invocation::Invocation;
use super::output::{self, Columns};

/// Which counters.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// Only this app's: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// Also the reasons that have counted nothing
    #[arg(long)]
    all: bool,
}

/// Shows them.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = match &options.app {
        None => None,
        Some(wanted) => Some(invocation.app(Some(wanted), "--app").await?.client_app_id),
    };
    let mut counters: Vec<Counter> = invocation.client.read("/api/filter/v1/counters").await?;
    counters.retain(|counter| app.is_none() || counter.app == app);
    if options.all {
        add_silent(&mut counters, app.as_deref());
    }
    if invocation.json {
        return output::json(&counters);
    }
    if counters.is_empty() {
        return output::line("Nothing was counted yet");
    }
    let mut table = Columns::new(["App", "Reason", "Verdict", "Packets", "Bytes", "Meaning"]);
    for counter in &counters {
        table.row([
            counter.app.as_deref().unwrap_or("-"),
            &counter.reason,
            &counter.verdict,
            &counter.packets.to_string(),
            &counter.bytes.to_string(),
            explanation(&counter.reason),
        ]);
    }
    table.print()
}

/// A row of zeros for every reason that has none.
fn add_silent(counters: &mut Vec<Counter>, app: Option<&str>) {
    for reason in Reason::ALL {
        if counters.iter().any(|counter| counter.reason == reason.name()) {
            continue;
        }
        counters.push(Counter {
            app: app.map(str::to_owned),
            reason: reason.name().to_owned(),
            verdict: if reason.refuses() { "drop" } else { "pass" }.to_owned(),
            packets: 0,
            bytes: 0,
        });
    }
}

/// What a reason means; nothing for one of a newer daemon.
fn explanation(name: &str) -> &'static str {
    let reason = Reason::ALL.iter().find(|reason| reason.name() == name);
    reason.map_or("", |reason| reason.explanation())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_reasons_are_added_once() {
        let mut counters = vec![Counter {
            app: Some("web-aaaaa".to_owned()),
            reason: "not_listed".to_owned(),
            verdict: "drop".to_owned(),
            packets: 3,
            bytes: 180,
        }];
        add_silent(&mut counters, None);
        assert_eq!(counters.len(), Reason::ALL.len());
        assert_eq!(counters.iter().filter(|c| c.packets > 0).count(), 1);
        assert!(counters.iter().all(|c| !explanation(&c.reason).is_empty()));
    }
}
