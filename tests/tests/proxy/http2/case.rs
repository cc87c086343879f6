//! One case: what is sent on a connection of its own, and what has to follow.
//!
//! A connection that just stays silent meets no case. A stream error may be
//! answered with the end of the whole connection (RFC 9113, section 5.4). A
//! connection may end with `PROTOCOL_ERROR` where the RFC has a narrower code
//! (the crate h2 says so of every frame that it cannot read), or without a
//! code; it may not stay open.

use std::io::{self, Write};

use crate::client::{Client, Connection};

use super::frames::{
    ACK, DATA, END_STREAM, Frame, GOAWAY, HEADERS, NO_ERROR, PING, PREFACE, PROTOCOL_ERROR,
    RST_STREAM, SETTINGS, frame,
};
use super::status::status;

/// What has to follow.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// The connection ends, with one of these codes where one is told.
    Ended(&'static [u32]),
    /// The stream is reset with one of these codes, or the connection ends so.
    Reset(&'static [u32]),
    /// The connection is told why it ends, and then closed.
    Told(u32),
    /// A stream's request is answered to its end with a status.
    Answered(u32, u16),
    /// So many octets of an answer come in one frame.
    Octets(usize),
    /// The next acknowledged PING is this one.
    Pong([u8; 8]),
    /// That, or the connection is closed.
    PongOrEnd([u8; 8]),
    /// SETTINGS are acknowledged.
    Acknowledged,
}

/// A name, and what happens in turn.
pub(super) struct Case {
    name: String,
    begins: bool,
    steps: Vec<Step>,
}

enum Step {
    Send(Vec<u8>),
    Expect(Expected),
}

/// Whether a frame is what was waited for.
enum Verdict {
    Met,
    Missed,
    Open,
}

/// A case of one exchange.
pub(super) fn case<const N: usize>(
    name: impl Into<String>,
    frames: [Vec<u8>; N],
    expected: Expected,
) -> Case {
    Case { name: name.into(), begins: true, steps: Vec::new() }.then(frames, expected)
}

impl Case {
    /// One whose octets are the first of all.
    pub(super) fn bare(name: &str, octets: &[u8], expected: Expected) -> Self {
        let case = Self { name: name.to_owned(), begins: false, steps: Vec::new() };
        case.then([octets.to_vec()], expected)
    }

    /// Something more, once what was expected before has come.
    pub(super) fn then<const N: usize>(mut self, frames: [Vec<u8>; N], expected: Expected) -> Self {
        self.steps.extend([Step::Send(frames.concat()), Step::Expect(expected)]);
        self
    }

    /// Plays it; says what came instead of what had to.
    pub(super) fn play(&self, client: &Client) -> Result<(), String> {
        let mut connection = client.offering(&[b"h2"]).connect().expect("a handshake");
        if self.begins {
            begin(&mut connection).map_err(|error| format!("{}: no start: {error}", self.name))?;
        }
        for step in &self.steps {
            match step {
                // It may have ended before all of it went out.
                Step::Send(octets) => drop(connection.write_all(octets)),
                Step::Expect(expected) => await_it(&mut connection, expected)
                    .map_err(|came| format!("{}: {expected:?}, but {came}", self.name))?,
            }
        }
        Ok(())
    }
}

/// Both ends know each other's settings, and know that.
pub(super) fn begin(connection: &mut Connection) -> io::Result<()> {
    connection.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat())?;
    let (mut is_known, mut knows) = (false, false);
    while !(is_known && knows) {
        let Frame { kind, flags, .. } = Frame::read(connection)?;
        match (kind, flags & ACK) {
            (SETTINGS, 0) => {
                connection.write_all(&frame(SETTINGS, ACK, 0, &[]))?;
                knows = true;
            }
            (SETTINGS, _) => is_known = true,
            _ => {}
        }
    }
    Ok(())
}

fn await_it(connection: &mut Connection, expected: &Expected) -> Result<(), String> {
    let mut seen = Vec::new();
    loop {
        let frame = match Frame::read(connection) {
            Ok(frame) => frame,
            Err(error) if is_silence(&error) => return Err(format!("silence after {seen:?}")),
            Err(_) if expected.is_met_by_end(&seen) => return Ok(()),
            Err(error) => return Err(format!("{error} after {seen:?}")),
        };
        let verdict = expected.judge(&frame);
        seen.push(frame);
        match verdict {
            Verdict::Met => return Ok(()),
            Verdict::Missed => return Err(format!("{seen:?} came")),
            Verdict::Open => {}
        }
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl Expected {
    fn judge(&self, frame: &Frame) -> Verdict {
        let met = |is_met| if is_met { Verdict::Met } else { Verdict::Missed };
        match (frame.kind, self) {
            (GOAWAY, _) if frame.code() == NO_ERROR => Verdict::Open,
            (GOAWAY, Self::Ended(codes) | Self::Reset(codes)) => {
                let is_right = codes.contains(&frame.code()) || frame.code() == PROTOCOL_ERROR;
                if is_right { Verdict::Open } else { Verdict::Missed }
            }
            (GOAWAY, Self::Told(code)) if frame.code() == *code => Verdict::Open,
            (GOAWAY, Self::PongOrEnd(_)) => Verdict::Open,
            (GOAWAY, _) => Verdict::Missed,
            (RST_STREAM, Self::Reset(codes)) if frame.code() != NO_ERROR => {
                met(codes.contains(&frame.code()))
            }
            (HEADERS | DATA, Self::Answered(stream, wanted)) if frame.stream == *stream => {
                if frame.kind == HEADERS && status(&frame.payload) != *wanted {
                    return Verdict::Missed;
                }
                if frame.flags & END_STREAM != 0 { Verdict::Met } else { Verdict::Open }
            }
            (DATA, Self::Octets(count)) => met(frame.payload.len() == *count),
            (PING, Self::Pong(payload) | Self::PongOrEnd(payload)) if frame.flags & ACK != 0 => {
                met(frame.payload == payload)
            }
            (SETTINGS, Self::Acknowledged) if frame.flags & ACK != 0 => Verdict::Met,
            (RST_STREAM, Self::Answered(..) | Self::Octets(_)) => Verdict::Missed,
            _ => Verdict::Open,
        }
    }

    /// Whether it is fine that the connection ended after these frames.
    fn is_met_by_end(&self, seen: &[Frame]) -> bool {
        match self {
            Self::Ended(_) | Self::Reset(_) | Self::PongOrEnd(_) => true,
            Self::Told(_) => {
                seen.iter().any(|frame| frame.kind == GOAWAY && frame.code() != NO_ERROR)
            }
            Self::Answered(..) | Self::Octets(_) | Self::Pong(_) | Self::Acknowledged => false,
        }
    }
}
