//! How much is measured.

use std::time::Duration;

use serde::Serialize;

/// Rounds, and what one of them takes.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// How long each figure is measured in a round.
    pub(crate) span: Duration,
    /// Connections that are opened and left idle.
    pub(crate) idle: usize,
}

impl Effort {
    /// What is usual, or less.
    pub(crate) fn new(quick: bool) -> Self {
        match quick {
            true => Self { rounds: 2, span: Duration::from_millis(500), idle: 500 },
            false => Self { rounds: 5, span: Duration::from_secs(2), idle: 2000 },
        }
    }
}
