//! How much a client of any listener may take, and for how long.

use std::time::Duration;

/// How long a client may take for a request's head, and how long it may stay
/// idle between requests.
pub(super) const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may leave an answer unread.
pub(super) const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// How long open requests may take to end at shutdown.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How long to wait after the system refused to accept, for want of file
/// descriptors for example.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) const LONGEST_HEAD_BYTES: usize = 64 << 10;
pub(super) const MOST_HEADERS: usize = 64;
