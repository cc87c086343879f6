//! A connection's plain text as the HTTP/1 library is to read it: every
//! request head is looked at before it is handed on, and a bad one is replaced
//! by what the library answers with 400 and closes upon.
//!
//! The library itself resolves what contradicts itself (a length beside
//! `chunked`, lines that end with LF alone) in silence; here it is refused.
//! Nothing behind a bad head is handed on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::{self, Framing, Head};
use super::live::Live;
use super::patience::LONGEST_HEAD_BYTES;
use super::reason::Reason;
use super::waits::Wait;

/// A stream that is looked at.
pub(super) struct Screen<S> {
    stream: S,
    live: Arc<Live>,
    framing: Framing,
    /// Bytes that are not handed on yet; the first `passed` of them may be.
    held: Vec<u8>,
    passed: usize,
    /// Whether nothing more is handed on.
    refused: bool,
    /// What was wrong with a head.
    fault: Option<Reason>,
    is_tunnel: bool,
}

/// What no library takes for a request.
const NO_REQUEST: &[u8] = b"\0\r\n\r\n";

impl<S> Screen<S> {
    pub(super) fn new(stream: S, live: Arc<Live>) -> Self {
        Self {
            stream,
            live,
            framing: Framing::Head,
            held: Vec::new(),
            passed: 0,
            refused: false,
            fault: None,
            is_tunnel: false,
        }
    }

    /// One that hands everything on and notes only what is waited for.
    pub(super) fn transparent(stream: S, live: Arc<Live>) -> Self {
        Self { framing: Framing::Open, ..Self::new(stream, live) }
    }

    /// From now on it speaks another protocol.
    pub(super) fn become_tunnel(&mut self) {
        self.framing = Framing::Open;
        self.is_tunnel = true;
        self.live.waits.begin(Wait::Tunnel);
    }

    /// The stream alone.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Why a head was refused, if one was.
    pub(super) fn fault(&self) -> Option<Reason> {
        self.fault
    }

    /// Looks at bytes that came: how many may be handed on. `None`: the rest
    /// has to be replaced.
    fn follow(&mut self, bytes: &[u8]) -> (usize, Outcome) {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.framing {
                Framing::Open => return (bytes.len(), Outcome::Pass),
                Framing::Length(left) => {
                    let there = u64::try_from(bytes.len() - at).unwrap_or(u64::MAX);
                    let taken = (*left).min(there);
                    *left -= taken;
                    at += usize::try_from(taken).unwrap_or(usize::MAX);
                    if *left == 0 {
                        self.framing = Framing::Head;
                    }
                }
                Framing::Chunked(chunks) => match chunks.follow(&bytes[at..]) {
                    Ok(taken) => {
                        at += taken;
                        if chunks.has_ended() {
                            self.framing = Framing::Head;
                        }
                    }
                    Err(_) => return (at, Outcome::Refuse),
                },
                Framing::Head => match head::look(&bytes[at..]) {
                    Head::Complete(length, _) if length > LONGEST_HEAD_BYTES => {
                        return self.leave_to_library(bytes.len());
                    }
                    Head::Complete(length, framing) => {
                        at += length;
                        self.framing = framing;
                    }
                    Head::Partial if bytes.len() - at > LONGEST_HEAD_BYTES => {
                        return self.leave_to_library(bytes.len());
                    }
                    Head::Partial => return (at, Outcome::Hold),
                    Head::TooManyFields => return self.leave_to_library(bytes.len()),
                    Head::Bad => {
                        self.fault = Some(Reason::Malformed);
                        return (at, Outcome::Refuse);
                    }
                },
            }
        }
        (at, Outcome::Pass)
    }

    /// It has an answer of its own (431) to what is too large, and closes.
    fn leave_to_library(&mut self, all: usize) -> (usize, Outcome) {
        self.framing = Framing::Open;
        self.fault = Some(Reason::HeadTooLarge);
        (all, Outcome::Pass)
    }

    fn refuse(&mut self) {
        self.refused = true;
        self.framing = Framing::Open;
    }
}

/// What becomes of the bytes that may not be handed on now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There are none.
    Pass,
    /// They wait for more.
    Hold,
    /// They are thrown away.
    Refuse,
}

impl<S: AsyncRead + Unpin> Screen<S> {
    /// Bytes went into the caller's buffer behind `start`.
    fn look_in_place(&mut self, buffer: &mut ReadBuf<'_>, start: usize) {
        let (passed, outcome) = self.follow(&buffer.filled()[start..]);
        match outcome {
            Outcome::Pass => {}
            Outcome::Hold => {
                self.held.extend_from_slice(&buffer.filled()[start + passed..]);
                buffer.set_filled(start + passed);
            }
            Outcome::Refuse => {
                buffer.set_filled(start + passed);
                self.held.extend_from_slice(NO_REQUEST);
                self.passed = self.held.len();
                self.refuse();
            }
        }
    }

    /// Bytes went behind those that are held.
    fn look_at_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        let (passed, outcome) = self.follow(&held);
        self.held = held;
        self.passed = passed;
        if outcome == Outcome::Refuse {
            self.held.truncate(passed);
            self.held.extend_from_slice(NO_REQUEST);
            self.passed = self.held.len();
            self.refuse();
        }
    }

    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.passed.min(buffer.remaining());
        buffer.put_slice(&self.held[..count]);
        self.held.drain(..count);
        self.passed -= count;
        if self.held.is_empty() {
            self.held = Vec::new();
        }
    }

    fn note_wait(&self, is_pending: bool) {
        let (in_head, in_body) = match self.framing {
            Framing::Head => (!self.held.is_empty(), false),
            Framing::Length(_) | Framing::Chunked(_) => (false, is_pending),
            Framing::Open => (false, false),
        };
        let is_between_requests = self.framing == Framing::Head && self.held.is_empty();
        self.live.set_listens(is_pending && is_between_requests);
        if self.is_tunnel && !is_pending {
            self.live.waits.begin(Wait::Tunnel);
        }
        for (wait, is_so) in [(Wait::Head, in_head), (Wait::Body, in_body)] {
            if is_so {
                self.live.waits.keep(wait);
            } else {
                self.live.waits.end(wait);
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Screen<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let start = buffer.filled().len();
        while buffer.filled().len() == start {
            if this.passed > 0 {
                this.hand_on(buffer);
                break;
            }
            if this.refused {
                // All that comes is thrown away: the library closes.
                return Poll::Ready(Ok(()));
            }
            let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
            this.note_wait(read.is_pending());
            ready!(read)?;
            let fresh = &buffer.filled()[start..];
            if fresh.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if this.held.is_empty() {
                this.look_in_place(buffer, start);
            } else {
                let ends_a_line = fresh.contains(&b'\n');
                this.held.extend_from_slice(fresh);
                buffer.set_filled(start);
                if ends_a_line || this.held.len() > LONGEST_HEAD_BYTES {
                    this.look_at_held();
                }
            }
            this.note_wait(false);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Screen<S> {
    fn note_write<T>(&self, written: Poll<T>, flushes: bool) -> Poll<T> {
        self.live.set_written(!flushes || written.is_pending());
        if written.is_pending() {
            self.live.waits.keep(Wait::Reading);
        } else {
            self.live.waits.end(Wait::Reading);
            if self.is_tunnel {
                self.live.waits.begin(Wait::Tunnel);
            }
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Screen<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_write(written, false)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note_write(written, false)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.note_write(flushed, true)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
