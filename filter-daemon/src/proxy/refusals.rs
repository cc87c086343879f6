//! What was refused, told one by one: to the log, and to those who follow live.
//!
//! Of each app and reason a few a second are told, each with how many were not;
//! texts are cut. So neither depends on how much is refused.

use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

use filter_common::verdict::{Mode, Verdict};
use tokio::sync::broadcast;

use super::reason::Reason;
use super::tally::Counts;
use crate::app::App;
use crate::id::ObjectId;

/// A refusal, or what would have been one, as those who follow get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When.
    pub time: SystemTime,
    /// The app; none where no app was known.
    pub app: Option<ObjectId>,
    /// Why.
    pub reason: Reason,
    /// What happened.
    pub verdict: Verdict,
    /// The far end of the TCP connection.
    pub peer: SocketAddr,
    /// The port of this host.
    pub port: u16,
    /// Whom a trusted hop named.
    pub client: Option<IpAddr>,
    /// The server name that was asked for, as far as it was read.
    pub name: Option<String>,
    /// What was refused, in words.
    pub detail: String,
    /// How many of this app and reason were not told since the last one.
    pub left_out: u64,
}

/// What happened to somebody.
pub(super) struct Notice<'a> {
    pub(super) app: Option<&'a App>,
    /// For the log, such as "request refused".
    pub(super) what: &'static str,
    pub(super) reason: Reason,
    pub(super) peer: SocketAddr,
    pub(super) port: u16,
    pub(super) client: Option<IpAddr>,
    pub(super) name: Option<&'a str>,
    pub(super) detail: &'a str,
}

/// Where refusals are told.
#[derive(Clone, Debug)]
pub(super) struct Refusals(broadcast::Sender<Refused>);

/// How many refusals a slow reader may fall behind before it loses some.
const BACKLOG: usize = 1024;

/// Characters of a text of the client's.
const LONGEST_TEXT: usize = 256;

impl Default for Refusals {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Refusals {
    /// Refusals from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<Refused> {
        self.0.subscribe()
    }

    /// Tells of one, unless there were too many of its kind.
    pub(super) fn tell(&self, counts: &Counts, notice: &Notice<'_>) {
        let Some(left_out) = counts.sample(notice.reason) else { return };
        let mode = notice.app.map_or(Mode::Enforce, |app| app.mode);
        let verdict = notice.reason.decide(mode);
        if verdict == Verdict::Drop {
            log(notice, left_out);
        }
        // Nobody listening is not an error, and nothing is kept then.
        if self.0.receiver_count() > 0 {
            let _ = self.0.send(notice.refused(verdict, left_out));
        }
    }
}

impl Notice<'_> {
    fn refused(&self, verdict: Verdict, left_out: u64) -> Refused {
        Refused {
            time: SystemTime::now(),
            app: self.app.map(|app| app.id),
            reason: self.reason,
            verdict,
            peer: SocketAddr::new(self.peer.ip().to_canonical(), self.peer.port()),
            port: self.port,
            client: self.client.filter(|client| *client != self.peer.ip().to_canonical()),
            name: self.name.map(cut),
            detail: cut(self.detail),
            left_out,
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

fn log(notice: &Notice<'_>, left_out: u64) {
    let Notice { what, reason, peer, .. } = notice;
    let detail = cut(notice.detail);
    let app = notice.app.map(|app| app.client_app_id.as_str());
    if *reason == Reason::Outbound {
        tracing::error!(app, %peer, reason = reason.name(), left_out, "{what}: {detail}");
    } else {
        tracing::info!(app, %peer, reason = reason.name(), left_out, "{what}: {detail}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(detail: &str) -> Notice<'_> {
        let peer = "[::ffff:192.0.2.1]:5000".parse().expect("an address");
        let (reason, name) = (Reason::UnknownName, Some("a.example"));
        let client = Some(IpAddr::from([192, 0, 2, 1]));
        Notice { app: None, what: "refused", reason, peer, port: 443, client, name, detail }
    }

    #[test]
    fn a_flood_of_long_texts_is_a_few_short_ones() {
        let (refusals, counts) = (Refusals::default(), Counts::default());
        let mut followed = refusals.follow();
        let detail = "ä".repeat(1 << 20);
        for _ in 0..50 {
            refusals.tell(&counts, &notice(&detail));
        }
        let told: Vec<_> = std::iter::from_fn(|| followed.try_recv().ok()).collect();
        assert!((5..50).contains(&told.len()), "{}", told.len());
        assert!(told.iter().all(|refused| refused.detail.chars().count() == LONGEST_TEXT));
        let left_out: u64 = told.iter().map(|refused| refused.left_out).sum();
        assert!(told.len() as u64 + left_out <= 50 && counts.untold() > 0);
        let first = &told[0];
        assert_eq!((first.peer.to_string().as_str(), first.client), ("192.0.2.1:5000", None));
    }
}
