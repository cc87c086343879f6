//! What is measured of a server.

use serde::Serialize;

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Connections with a full handshake, a second.
    Handshakes,
    /// The same, from clients that offer a post-quantum key exchange as well.
    HybridHandshakes,
    /// Requests a second, one at a time on one connection.
    OneConnection,
    /// Requests a second on many connections.
    ManyConnections,
    /// Requests a second on one HTTP/2 connection, many at a time.
    Streams,
    /// What half of the requests of one connection take at most, less what the
    /// upstream alone takes, in microseconds.
    AddedMedian,
    /// The same of 99 of 100 requests.
    AddedMost,
    /// Memory that an idle connection holds, in KiB.
    Idle,
}

impl Figure {
    pub(crate) const ALL: [Self; 8] = [
        Self::Handshakes,
        Self::HybridHandshakes,
        Self::OneConnection,
        Self::ManyConnections,
        Self::Streams,
        Self::AddedMedian,
        Self::AddedMost,
        Self::Idle,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Handshakes => "new connections/s, X25519",
            Self::HybridHandshakes => "new connections/s, X25519MLKEM768 offered",
            Self::OneConnection => "requests/s, 1 connection",
            Self::ManyConnections => "requests/s, 64 connections",
            Self::Streams => "requests/s, 64 streams of one HTTP/2 connection",
            Self::AddedMedian => "added latency, p50, µs",
            Self::AddedMost => "added latency, p99, µs",
            Self::Idle => "memory of an idle connection, KiB",
        }
    }

    /// Whether it is the better the less it is.
    pub(crate) fn is_cost(self) -> bool {
        match self {
            Self::AddedMedian | Self::AddedMost | Self::Idle => true,
            Self::Handshakes
            | Self::HybridHandshakes
            | Self::OneConnection
            | Self::ManyConnections
            | Self::Streams => false,
        }
    }

    /// Whether all of them can do the same here: Debian's OpenSSL has no
    /// post-quantum key exchange.
    pub(crate) fn is_equal_work(self) -> bool {
        self != Self::HybridHandshakes
    }

    /// How many times as good one is as another.
    pub(crate) fn ratio(self, one: f64, other: f64) -> f64 {
        if self.is_cost() { other / one } else { one / other }
    }
}
