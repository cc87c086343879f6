//! How long and how large things may be at the proxy.

use std::time::Duration;

/// From the accepted connection to the end of the TLS handshake.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

/// From the first octet of a request's head to its last.
pub(super) const HEAD: Duration = Duration::from_secs(15);

/// Between two requests of a connection.
pub(super) const IDLE: Duration = Duration::from_secs(75);

/// The same, with the time that a client has to end a connection in order.
pub(super) const LONGEST_IDLE: Duration = Duration::from_secs(IDLE.as_secs() + 5);

/// From when on a connection without a request gives its buffers back, at
/// most twice that.
pub(super) const REST: Duration = Duration::from_secs(1);

/// How long a client may not send what is waited for of a body, and how long
/// it may leave an answer unread.
pub(super) const CLIENT: Duration = Duration::from_secs(30);

/// How long both ends of a tunnel (a WebSocket) may be silent.
pub(super) const TUNNEL: Duration = Duration::from_secs(3600);

/// For a name to be resolved and a connection to the upstream to be made, TLS
/// included.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// How long an unused connection to the upstream is kept: some servers close it
/// after five seconds.
pub(super) const POOLED: Duration = Duration::from_secs(4);

/// How long open requests may go on after the daemon was told to stop.
pub(super) const DRAIN: Duration = Duration::from_secs(3);

/// Between two looks at who has been waiting for too long.
pub(super) const SWEEP: Duration = Duration::from_millis(500);

/// Octets of a request's head.
pub(super) const LONGEST_HEAD_BYTES: usize = 32 << 10;

/// Octets that the HTTP library may hold of one direction.
pub(super) const BUFFER_BYTES: usize = 64 << 10;

/// Requests of one HTTP/2 connection at one time.
pub(super) const MOST_STREAMS: u32 = 128;

/// Unused connections that one thread keeps to one upstream.
pub(super) const MOST_POOLED: usize = 128;

/// TLS handshakes at one time.
pub(super) const MOST_HANDSHAKES: usize = 4096;
