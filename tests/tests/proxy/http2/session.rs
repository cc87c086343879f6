//! A client of HTTP/2 that looks at every frame.

use std::io::{self, Write};
use std::time::Duration;

use crate::client::{Client, Connection};

use super::case::begin;
use super::frames::{
    ACK, AUTHORITY, Frame, HEADERS, METHOD, PING, RST_STREAM, SCHEME, WHOLE, block, frame, settings,
};
use super::status::status;

/// A connection past its beginning.
pub(crate) struct Session {
    connection: Connection,
}

impl Session {
    pub(crate) fn begin(client: &Client) -> Self {
        let mut connection = client.offering(&[b"h2"]).connect().expect("a handshake");
        begin(&mut connection).expect("both know the settings");
        Self { connection }
    }

    /// Lets answers take no octet, unless told otherwise for a stream.
    pub(super) fn close_windows(&mut self) {
        self.send(&settings(&[(super::frames::INITIAL_WINDOW_SIZE, 0)]));
    }

    /// Waits for frames so long.
    pub(super) fn wait_at_most(&self, patience: Duration) {
        self.connection.sock.set_read_timeout(Some(patience)).expect("it is open");
    }

    pub(super) fn send(&mut self, octets: &[u8]) {
        self.connection.write_all(octets).expect("it goes out");
    }

    /// A whole request, with more fields.
    pub(crate) fn ask(&mut self, stream: u32, path: &str, fields: &[(&str, &str)]) {
        let usual = [METHOD, SCHEME, (":path", path), AUTHORITY];
        let block = block(&[&usual[..], fields].concat());
        self.send(&frame(HEADERS, WHOLE, stream, &block));
    }

    /// The next stream that is reset.
    pub(crate) fn reset(&mut self) -> u32 {
        self.next(RST_STREAM).expect("a stream is reset").stream
    }

    /// The next answer: of which stream, and what.
    pub(crate) fn status(&mut self) -> (u32, u16) {
        let head = self.next(HEADERS).expect("an answer");
        (head.stream, status(&head.payload))
    }

    /// The next frame of a kind; the other end sees that we are there.
    pub(super) fn next(&mut self, kind: u8) -> io::Result<Frame> {
        loop {
            let came = Frame::read(&mut self.connection)?;
            if came.kind == PING && came.flags & ACK == 0 {
                self.send(&frame(PING, ACK, 0, &came.payload));
            }
            if came.kind == kind {
                return Ok(came);
            }
        }
    }
}
