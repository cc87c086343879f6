//! Frames of HTTP/2 as octets (RFC 9113, section 4.1), right or wrong as they
//! are asked for.

use std::fmt;
use std::io::{self, Read};

use crate::stage::NAME;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
/// A type that no RFC defines.
pub(super) const UNKNOWN: u8 = 0x16;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITISED: u8 = 0x20;
/// Both ends of a request without a body.
pub(super) const WHOLE: u8 = END_HEADERS | END_STREAM;

pub(super) const NO_ERROR: u32 = 0x0;
pub(super) const PROTOCOL_ERROR: u32 = 0x1;
pub(super) const FLOW_CONTROL_ERROR: u32 = 0x3;
pub(super) const STREAM_CLOSED: u32 = 0x5;
pub(super) const FRAME_SIZE_ERROR: u32 = 0x6;
pub(super) const REFUSED_STREAM: u32 = 0x7;
pub(super) const CANCEL: u32 = 0x8;
pub(super) const COMPRESSION_ERROR: u32 = 0x9;

pub(super) const ENABLE_PUSH: u16 = 2;
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(super) const MAX_FRAME_SIZE: u16 = 5;

/// The largest frame that every end takes, in octets.
pub(super) const LARGEST: usize = 1 << 14;

/// What a PING says here.
pub(super) const MARK: [u8; 8] = *b"filterd?";

/// What every request begins with.
pub(super) const METHOD: (&str, &str) = (":method", "GET");
pub(super) const POST: (&str, &str) = (":method", "POST");
pub(super) const SCHEME: (&str, &str) = (":scheme", "https");
pub(super) const PATH: (&str, &str) = (":path", "/");
pub(super) const AUTHORITY: (&str, &str) = (":authority", NAME);

/// A frame that arrived.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn read(connection: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 9];
        connection.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length as usize];
        connection.read_exact(&mut payload)?;
        Ok(Self { kind: head[3], flags: head[4], stream, payload })
    }

    /// The error code of a frame that ends a stream or the connection.
    pub(super) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        let octets = self.payload[at..at + 4].try_into().expect("four octets");
        u32::from_be_bytes(octets)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, flags, stream, payload } = self;
        let shown = &payload[..payload.len().min(16)];
        write!(f, "type {kind} flags {flags:#x} stream {stream} {shown:02x?}")
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A block of literal fields that no table has (RFC 7541, section 6.2.2).
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        block.extend(text(name));
        block.extend(text(value));
    }
    block
}

/// A text as it is, behind its length (RFC 7541, sections 5.1 and 5.2).
pub(super) fn text(text: &str) -> Vec<u8> {
    let mut octets = match text.len() {
        length @ 0..127 => vec![octet(length)],
        length => {
            let (mut octets, mut rest) = (vec![0x7f], length - 127);
            while rest >= 0x80 {
                octets.push(octet(rest & 0x7f) | 0x80);
                rest >>= 7;
            }
            octets.push(octet(rest));
            octets
        }
    };
    octets.extend(text.as_bytes());
    octets
}

fn octet(value: usize) -> u8 {
    u8::try_from(value).expect("below 256")
}

/// The fields of a request for the app's first page.
pub(super) fn page() -> Vec<u8> {
    block(&[METHOD, SCHEME, PATH, AUTHORITY])
}

/// A request that is complete.
pub(super) fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &page())
}

/// A request whose body is to follow.
pub(super) fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&[POST, SCHEME, PATH, AUTHORITY]))
}

pub(super) fn settings(pairs: &[(u16, u32)]) -> Vec<u8> {
    let octets =
        |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &pairs.iter().flat_map(octets).collect::<Vec<u8>>())
}

pub(super) fn window_update(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

pub(super) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// A dependency on another stream, with its weight less one.
pub(super) fn priority(stream: u32, on: u32, weight: u8) -> Vec<u8> {
    frame(PRIORITY, 0, stream, &dependency(on, weight))
}

pub(super) fn dependency(on: u32, weight: u8) -> Vec<u8> {
    [&on.to_be_bytes()[..], &[weight]].concat()
}

pub(super) fn ping(payload: [u8; 8]) -> Vec<u8> {
    frame(PING, 0, 0, &payload)
}
