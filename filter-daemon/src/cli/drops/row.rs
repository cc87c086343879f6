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
    /// Somebody that was refused, or would have been.
    Drop(Box<Drop>),
}

/// A packet, connection or request that was refused, or would have been.
#[derive(Debug, Deserialize)]
pub(super) struct Drop {
    time: Timestamp,
    tier: String,
    interface: Option<String>,
    app: Option<String>,
    reason: String,
    verdict: String,
    source: Option<IpAddr>,
    source_port: Option<u16>,
    destination: Option<IpAddr>,
    destination_port: Option<u16>,
    protocol: Option<u8>,
    frame_bytes: Option<u32>,
    client: Option<IpAddr>,
    name: Option<String>,
    detail: Option<String>,
    left_out: Option<u64>,
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
        ["Time", "Tier", "Interface", "App", "Reason", "Verdict", "Protocol", "Bytes"],
        "Source → Destination",
    )
}

/// Columns of a width that most values fit in: rows come one by one.
fn columns(cells: [&str; 8], ends: &str) -> String {
    let [time, tier, interface, app, reason, verdict, protocol, bytes] = cells.map(harmless);
    format!(
        "{time:<12}  {tier:<6}  {interface:<10}  {app:<16}  {reason:<14}  {verdict:<10}  {protocol:<8}  {bytes:>5}  {}",
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
        let bytes = self.frame_bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        columns(
            [
                &time,
                &self.tier,
                self.interface.as_deref().unwrap_or("-"),
                self.app.as_deref().unwrap_or("-"),
                &self.reason,
                &self.verdict,
                &protocol,
                &bytes,
            ],
            &self.ends(),
        )
    }

    /// From where to where, and what the proxy says of it.
    fn ends(&self) -> String {
        let destination = match (&self.name, self.destination_port) {
            (Some(name), Some(port)) => format!("{name}:{port}"),
            (Some(_) | None, _) => end(self.destination, self.destination_port),
        };
        let mut ends = format!("{} → {destination}", end(self.source, self.source_port));
        if let Some(client) = self.client {
            ends = format!("{client} by {ends}");
        }
        if let Some(detail) = &self.detail {
            ends = format!("{ends}  {detail}");
        }
        match self.left_out {
            None | Some(0) => ends,
            Some(left_out) => format!("{ends} (and {left_out} more before)"),
        }
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

    const TCP: &str = r#"{"time":"2026-08-01T10:20:30.123456789Z","tier":"packet","interface":"eth0","app":"web-aaaaa",
        "reason":"not_listed","verdict":"drop","source":"2001:db8::7","source_port":5000,
        "destination":"2001:db8::1","destination_port":443,"protocol":6,"frame_bytes":74}"#;

    fn event(text: &str) -> Event {
        serde_json::from_str(text).expect("valid")
    }

    #[test]
    fn rows_name_both_ends() {
        let row = event(TCP).to_string();
        assert!(row.ends_with("tcp          74  [2001:db8::7]:5000 → [2001:db8::1]:443"), "{row}");
        assert!(row.contains(":30.123  packet  eth0        web-aaaaa"), "{row}");
    }

    #[test]
    fn what_is_unknown_is_a_dash() {
        let row = event(
            r#"{"time":"2026-08-01T10:20:30Z","tier":"packet","interface":null,"app":null,"reason":"malformed",
            "verdict":"drop","source":null,"source_port":0,"destination":null,
            "destination_port":0,"protocol":0,"frame_bytes":14}"#,
        );
        assert!(row.concerns(None) && !row.concerns(Some("web-aaaaa")));
        assert!(row.to_string().ends_with("-            14  - → -"), "{row}");
    }

    #[test]
    fn what_the_proxy_refused_is_told_in_words() {
        let row = event(
            r#"{"time":"2026-08-01T10:20:30Z","tier":"proxy","interface":null,"app":"web-aaaaa",
            "reason":"not_listed","verdict":"drop","source":"192.0.2.1","source_port":5000,
            "destination":null,"destination_port":443,"protocol":6,"frame_bytes":null,
            "client":"198.51.100.7","name":"a.example","detail":"connection refused: no\nentry",
            "left_out":3}"#,
        )
        .to_string();
        let end = "198.51.100.7 by 192.0.2.1:5000 → a.example:443  connection refused: no\\nentry";
        assert!(row.ends_with(&format!("{end} (and 3 more before)")), "{row}");
    }

    #[test]
    fn losses_are_told_whatever_is_asked_for() {
        let lost = event(r#"{"lost":12}"#);
        assert!(lost.concerns(Some("web-aaaaa")));
        assert_eq!(lost.to_string(), "(12 events came too fast to be shown)");
    }
}
