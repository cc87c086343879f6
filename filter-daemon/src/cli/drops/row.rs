//! An event of the stream, and its row.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::app::Protocol;
use crate::cli::output::harmless;

/// A line of the stream.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Event {
    /// So many events did not reach us.
    Lost {
        /// How many.
        lost: u64,
    },
    /// A packet that was refused, or would have been.
    Drop(Box<Drop>),
}

/// A packet that was refused, or would have been.
#[derive(Debug, Deserialize)]
pub(super) struct Drop {
    time: Timestamp,
    interface: Option<String>,
    app: Option<String>,
    reason: String,
    verdict: String,
    source: Option<IpAddr>,
    source_port: Option<u16>,
    destination: Option<IpAddr>,
    destination_port: Option<u16>,
    protocol: Option<u8>,
    frame_bytes: u32,
}

impl Event {
    /// Whether it is to be shown when one app is asked for.
    pub(super) fn concerns(&self, app: Option<&str>) -> bool {
        match self {
            Self::Lost { .. } => true,
            Self::Drop(event) => app.is_none() || event.app.as_deref() == app,
        }
    }
}

/// What the columns are called.
pub(super) fn heading() -> String {
    columns(
        ["Time", "Interface", "App", "Reason", "Verdict", "Protocol", "Bytes"],
        "Source → Destination",
    )
}

/// Columns of a width that most values fit in: rows come one by one.
fn columns(cells: [&str; 7], ends: &str) -> String {
    let [time, interface, app, reason, verdict, protocol, bytes] = cells.map(harmless);
    format!(
        "{time:<12}  {interface:<10}  {app:<16}  {reason:<14}  {verdict:<10}  {protocol:<8}  {bytes:>5}  {}",
        harmless(ends),
    )
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { lost } => write!(f, "({lost} events came too fast to be shown)"),
            Self::Drop(event) => f.write_str(&event.row()),
        }
    }
}

impl Drop {
    fn row(&self) -> String {
        let time =
            self.time.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string();
        let protocol = match self.protocol {
            None | Some(0) => "-".to_owned(),
            Some(number) => number
                .to_string()
                .parse::<Protocol>()
                .map_or_else(|_| number.to_string(), |protocol| protocol.to_string()),
        };
        let ends = format!(
            "{} → {}",
            end(self.source, self.source_port),
            end(self.destination, self.destination_port),
        );
        let bytes = self.frame_bytes.to_string();
        columns(
            [
                &time,
                self.interface.as_deref().unwrap_or("-"),
                self.app.as_deref().unwrap_or("-"),
                &self.reason,
                &self.verdict,
                &protocol,
                &bytes,
            ],
            &ends,
        )
    }
}

fn end(address: Option<IpAddr>, port: Option<u16>) -> String {
    match (address, port) {
        (None, _) => "-".to_owned(),
        (Some(address), None | Some(0)) => address.to_string(),
        (Some(address), Some(port)) => SocketAddr::new(address, port).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = r#"{"time":"2026-08-01T10:20:30.123456789Z","interface":"eth0","app":"web-aaaaa",
        "reason":"not_listed","verdict":"drop","source":"2001:db8::7","source_port":5000,
        "destination":"2001:db8::1","destination_port":443,"protocol":6,"frame_bytes":74}"#;

    fn event(text: &str) -> Event {
        serde_json::from_str(text).expect("valid")
    }

    #[test]
    fn rows_name_both_ends() {
        let row = event(TCP).to_string();
        assert!(row.ends_with("tcp          74  [2001:db8::7]:5000 → [2001:db8::1]:443"), "{row}");
        assert!(row.contains(":30.123  eth0        web-aaaaa"), "{row}");
    }

    #[test]
    fn what_is_unknown_is_a_dash() {
        let row = event(
            r#"{"time":"2026-08-01T10:20:30Z","interface":null,"app":null,"reason":"malformed",
            "verdict":"drop","source":null,"source_port":0,"destination":null,
            "destination_port":0,"protocol":0,"frame_bytes":14}"#,
        );
        assert!(row.concerns(None) && !row.concerns(Some("web-aaaaa")));
        assert!(row.to_string().ends_with("-            14  - → -"), "{row}");
    }

    #[test]
    fn losses_are_told_whatever_is_asked_for() {
        let lost = event(r#"{"lost":12}"#);
        assert!(lost.concerns(Some("web-aaaaa")));
        assert_eq!(lost.to_string(), "(12 events came too fast to be shown)");
    }
}
