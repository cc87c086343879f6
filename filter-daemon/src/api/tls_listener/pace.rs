//! Whether a connection still gets on: how long it has been idle, and how long
//! its client has left an answer unread.
//!
//! HTTP/2 has neither limit of its own: a client could answer pings forever
//! and keep its place.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::api::limits::{ANSWER_PATIENCE, HEAD_PATIENCE};

/// What a connection is busy with. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<Mutex<Busy>>);

#[derive(Debug)]
struct Busy {
    /// Requests and answers that wait for the daemon.
    ours: usize,
    /// Answers that wait for the client.
    theirs: usize,
    /// When that changed last.
    since: Instant,
}

/// One request, until the last byte of its answer is handed over.
#[derive(Debug)]
pub(super) struct Turn {
    pace: Pace,
    whose: Whose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Busy { ours: 0, theirs: 0, since: Instant::now() })))
    }

    /// A request has come.
    pub(super) fn begin(&self) -> Turn {
        self.busy().ours += 1;
        Turn { pace: self.clone(), whose: Whose::Ours }
    }

    /// Comes back when the client has been too slow.
    pub(super) async fn overdue(&self) {
        loop {
            let (now, end) = (Instant::now(), self.end());
            if end <= now {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }

    /// When the client is too slow, if nothing changes until then.
    fn end(&self) -> Instant {
        let busy = self.busy();
        match (busy.ours, busy.theirs) {
            (0, 0) => busy.since + HEAD_PATIENCE,
            (0, _) => busy.since + ANSWER_PATIENCE,
            // Nothing is due; the time only says when to look again.
            _ => Instant::now() + HEAD_PATIENCE,
        }
    }

    fn busy(&self) -> MutexGuard<'_, Busy> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The answer, which the connection is busy with until it is gone.
    pub(super) fn answer(mut self, response: Response) -> Response {
        self.pass_to(Whose::Theirs);
        response.map(|body| Body::new(Paced { body, turn: self }))
    }

    fn pass_to(&mut self, whose: Whose) {
        let mut busy = self.pace.busy();
        busy.leave(self.whose);
        match whose {
            Whose::Ours => busy.ours += 1,
            Whose::Theirs => busy.theirs += 1,
        }
        drop(busy);
        self.whose = whose;
    }
}

impl Busy {
    fn leave(&mut self, whose: Whose) {
        match whose {
            Whose::Ours => self.ours -= 1,
            Whose::Theirs => self.theirs -= 1,
        }
        self.since = Instant::now();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pace.busy().leave(self.whose);
    }
}

/// A body that is the client's turn when a piece of it was handed over, and
/// ours when the next one is asked for and not there yet.
struct Paced {
    body: Body,
    turn: Turn,
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let whose = if polled.is_pending() { Whose::Ours } else { Whose::Theirs };
        self.turn.pass_to(whose);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn is_overdue(pace: &Pace) -> bool {
        tokio::time::timeout(std::time::Duration::ZERO, pace.overdue()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_and_unread_answers_are_overdue() {
        let pace = Pace::new();
        let turn = pace.begin();
        tokio::time::advance(ANSWER_PATIENCE * 10).await;
        assert!(!is_overdue(&pace).await, "the daemon may take its time");
        let mut answer = turn.answer(Response::new(Body::from("answer")));
        tokio::time::advance(HEAD_PATIENCE * 2).await;
        assert!(!is_overdue(&pace).await);
        tokio::time::advance(ANSWER_PATIENCE).await;
        assert!(is_overdue(&pace).await, "nobody asks for the answer");
        answer.body_mut().frame().await.expect("a piece").expect("sound");
        assert!(!is_overdue(&pace).await, "it is asked for");
        drop(answer);
        assert!(!is_overdue(&pace).await);
        tokio::time::advance(HEAD_PATIENCE).await;
        assert!(is_overdue(&pace).await, "idle");
    }
}
