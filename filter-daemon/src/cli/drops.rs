//! `filterctl drops`: refused packets, and what the proxy refuses, as they come.
//!
//! The daemon's stream is passed on line by line; with `--json` unchanged.

mod lines;
mod row;

use clap::Args;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::failure::Failure;
use super::invocation::Invocation;
use super::output;
use lines::Lines;
use row::Event;

/// Which refusals, and how many.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// Only this app's: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// End after so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

struct View {
    json: bool,
    app: Option<String>,
    left: Option<u64>,
}

/// Shows them until Ctrl-C, or until there were enough.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = match &options.app {
        None => None,
        Some(wanted) => Some(invocation.app(Some(wanted), "--app").await?.client_app_id),
    };
    let stream = invocation.client.follow("/api/filter/v1/drops").await?;
    let view = View { json: invocation.json, app, left: options.count };
    if !view.json {
        output::line(&row::heading())?;
    }
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(()),
        outcome = follow(invocation, stream, view) => outcome,
    }
}

async fn follow(
    invocation: &Invocation,
    mut stream: Incoming,
    mut view: View,
) -> Result<(), Failure> {
    let mut lines = Lines::default();
    while let Some(frame) = stream.frame().await {
        let frame = frame.map_err(|error| invocation.client.cut_off(&error))?;
        let Ok(bytes) = frame.into_data() else { continue };
        for line in lines.push(&bytes) {
            view.show(&line)?;
            if view.left == Some(0) {
                return Ok(());
            }
        }
    }
    Err(Failure::unreachable("filterd ended the stream")
        .with_advice("It was stopped or restarted; `filterctl status` shows whether it is back."))
}

impl View {
    fn show(&mut self, line: &str) -> Result<(), Failure> {
        let event: Event = serde_json::from_str(line).map_err(|error| {
            Failure::new(format!("filterd's answer is not understood: {error}"))
        })?;
        if !event.concerns(self.app.as_deref()) {
            return Ok(());
        }
        match self.json {
            true => output::line(line)?,
            false => output::line(&event.to_string())?,
        }
        if let (Event::Drop(_), Some(left)) = (&event, &mut self.left) {
            *left -= 1;
        }
        Ok(())
    }
}
