//! HTTP/2 (RFC 9113), frame by frame: what is malformed reaches no upstream.

use std::io::{self, Read, Write};

use crate::client::{Client, Connection};
use crate::stage::{LISTED, NAME, Stage};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// How the other end took something.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// It answered a request with a status.
    Answered(u16),
    /// It reset the stream.
    Reset,
    /// It ended the connection.
    Ended,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A block of literal fields that no table has (RFC 7541, section 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).ok().filter(|n| *n < 127).expect("a short text"));
            block.extend(text.as_bytes());
        }
    }
    block
}

/// A request with these fields, behind what every request has.
fn request(more: &[(&str, &str)]) -> Vec<u8> {
    let mut fields =
        vec![(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", NAME)];
    fields.extend(more);
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields))
}

fn with(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(fields))
}

fn begin(client: &Client) -> Connection {
    let mut connection = client.offering(&[b"h2"]).connect().expect("a handshake");
    connection.write_all(PREFACE).expect("it goes out");
    connection.write_all(&frame(SETTINGS, 0, 0, &[])).expect("it goes out");
    connection
}

/// Sends frames and reads what becomes of the first stream.
fn take(client: &Client, frames: &[u8]) -> Taken {
    let mut connection = begin(client);
    // It may have ended before all of it went out.
    let _ = connection.write_all(frames);
    loop {
        let (kind, stream, payload) = match read_frame(&mut connection) {
            Ok(frame) => frame,
            Err(_) => return Taken::Ended,
        };
        match (kind, stream) {
            (GOAWAY, 0) if payload[4..8] != [0; 4] => return Taken::Ended,
            (RST_STREAM, 1) => return Taken::Reset,
            (HEADERS, 1) => return Taken::Answered(status(&payload)),
            _ => {}
        }
    }
}

fn read_frame(connection: &mut impl Read) -> io::Result<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    connection.read_exact(&mut head)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; length as usize];
    connection.read_exact(&mut payload)?;
    Ok((head[3], stream, payload))
}

/// The status that a block begins with: an index of the static table, or a
/// literal under its name (RFC 7541, appendix A).
fn status(block: &[u8]) -> u16 {
    match block[0] {
        indexed @ 0x88..=0x8e => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        _ => {
            let length = usize::from(block[1] & 0x7f);
            let bytes = &block[2..2 + length];
            let text = match block[1] & 0x80 {
                0 => String::from_utf8_lossy(bytes).into_owned(),
                _ => huffman_digits(bytes),
            };
            text.parse().unwrap_or_else(|_| panic!("no status in {block:x?}"))
        }
    }
}

/// Digits as HPACK's code has them: 0, 1 and 2 in five bits, the others in six
/// (RFC 7541, appendix B).
fn huffman_digits(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
    let value = |bits: &[u8]| bits.iter().fold(0_u8, |value, bit| value << 1 | bit);
    let (mut digits, mut at) = (String::new(), 0);
    while digits.len() < 3 && at + 5 <= bits.len() {
        let short = value(&bits[at..at + 5]);
        let digit = if short < 3 {
            at += 5;
            short
        } else {
            let long = value(&bits[at..at + 6]);
            at += 6;
            long - 0x19 + 3
        };
        digits.push(char::from(b'0' + digit));
    }
    digits
}

#[test]
fn a_request_is_answered() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        assert_eq!(take(&client, &request(&[])), Taken::Answered(200));
        assert_eq!(take(&client, &request(&[("te", "trailers")])), Taken::Answered(200));
    });
    assert_eq!(scene.upstream.asked().len(), 2);
}

#[test]
fn a_malformed_request_reaches_no_upstream() {
    let method = (":method", "GET");
    let scheme = (":scheme", "https");
    let path = (":path", "/");
    let authority = (":authority", NAME);
    let post = |length: &str, data: &[u8]| {
        let fields = [(":method", "POST"), scheme, path, authority, ("content-length", length)];
        let mut frames = frame(HEADERS, END_HEADERS, 1, &block(&fields));
        frames.extend(frame(DATA, END_STREAM, 1, data));
        frames
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("CR LF in a value", request(&[("x", "a\r\nX-Smuggled: 1")])),
        ("LF in a value", request(&[("x", "a\nb")])),
        ("NUL in a value", request(&[("x", "a\0b")])),
        ("CR LF in a name", request(&[("x\r\ny", "1")])),
        ("colon in a name", request(&[("x:y", "1")])),
        ("space in a name", request(&[("x y", "1")])),
        ("upper case in a name", request(&[("X-Upper", "1")])),
        ("empty name", request(&[("", "1")])),
        ("CR LF in the path", with(&[method, scheme, authority, (":path", "/ HTTP/1.1\r\nx: y")])),
        ("space in the path", with(&[method, scheme, authority, (":path", "/a b")])),
        ("empty path", with(&[method, scheme, authority, (":path", "")])),
        (
            "CR LF in the method",
            with(&[(":method", "GET / HTTP/1.1\r\n"), scheme, path, authority]),
        ),
        ("CR LF in the authority", with(&[method, scheme, path, (":authority", "a\r\nb")])),
        ("transfer-encoding", request(&[("transfer-encoding", "chunked")])),
        ("connection", request(&[("connection", "keep-alive")])),
        ("upgrade", request(&[("upgrade", "h2c")])),
        ("keep-alive", request(&[("keep-alive", "1")])),
        ("proxy-connection", request(&[("proxy-connection", "1")])),
        ("te", request(&[("te", "gzip")])),
        ("no method", with(&[scheme, path, authority])),
        ("no path", with(&[method, scheme, authority])),
        ("method twice", with(&[method, method, scheme, path, authority])),
        ("path twice", with(&[method, scheme, path, path, authority])),
        ("unknown pseudo-field", request(&[(":unknown", "1")])),
        ("answer's pseudo-field", request(&[(":status", "200")])),
        ("pseudo-field behind a field", with(&[method, scheme, path, ("x", "1"), authority])),
        ("another host", request(&[("host", "evil.test")])),
        ("another authority", with(&[method, scheme, path, (":authority", "evil.test")])),
        (
            "user in the authority",
            with(&[method, scheme, path, (":authority", "u@app.example.com")]),
        ),
        ("CONNECT", with(&[(":method", "CONNECT"), authority])),
        ("TRACE", with(&[(":method", "TRACE"), scheme, path, authority])),
        ("content-length that is no number", post("x", b"a")),
    ];
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for (case, frames) in cases {
            let taken = take(&client, &frames);
            let is_refused = !matches!(taken, Taken::Answered(..400));
            assert!(is_refused, "{case}: {taken:?}");
            assert!(scene.upstream.asked().is_empty(), "{case}: {:?}", scene.upstream.asked());
        }
        for (case, frames) in [("longer", post("1", b"abc")), ("shorter", post("9", b"abc"))] {
            let taken = take(&client, &frames);
            assert!(!matches!(taken, Taken::Answered(..400)), "{case}: {taken:?}");
        }
    });
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    let headers =
        block(&[(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", NAME)]);
    let open = frame(HEADERS, END_HEADERS, 1, &headers);
    let then = |more: Vec<u8>| [open.clone(), more].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("DATA on stream 0", frame(DATA, 0, 0, b"a")),
        ("HEADERS on stream 0", frame(HEADERS, END_HEADERS, 0, &headers)),
        ("HEADERS on an even stream", frame(HEADERS, END_HEADERS, 2, &headers)),
        ("DATA on an idle stream", frame(DATA, 0, 5, b"a")),
        ("RST_STREAM on an idle stream", frame(RST_STREAM, 0, 5, &[0; 4])),
        ("RST_STREAM of a wrong length", then(frame(RST_STREAM, 0, 1, &[0; 3]))),
        ("RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, &[0; 4])),
        ("WINDOW_UPDATE on an idle stream", frame(WINDOW_UPDATE, 0, 5, &[0, 0, 0, 1])),
        ("WINDOW_UPDATE of 0", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("WINDOW_UPDATE of a wrong length", frame(WINDOW_UPDATE, 0, 0, &[0; 3])),
        ("window that overflows", frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
        ("SETTINGS on a stream", frame(SETTINGS, 0, 1, &[])),
        ("SETTINGS of a wrong length", frame(SETTINGS, 0, 0, &[0; 5])),
        ("SETTINGS acknowledgement with a body", frame(SETTINGS, ACK, 0, &[0; 6])),
        ("SETTINGS with push 2", frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 2])),
        ("SETTINGS with too large a window", frame(SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0])),
        ("SETTINGS with too small a frame", frame(SETTINGS, 0, 0, &[0, 5, 0, 0, 0x3f, 0xff])),
        ("PING on a stream", frame(PING, 0, 1, &[0; 8])),
        ("PING of a wrong length", frame(PING, 0, 0, &[0; 7])),
        ("GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        ("PUSH_PROMISE of a client", then(frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]))),
        ("CONTINUATION out of place", frame(CONTINUATION, END_HEADERS, 1, &headers)),
        (
            "another frame within a block",
            [frame(HEADERS, 0, 1, &headers), frame(PING, 0, 0, &[0; 8])].concat(),
        ),
        ("padding longer than its frame", frame(DATA | HEADERS, END_HEADERS | 8, 1, &[9, 0])),
        ("frame larger than allowed", frame(DATA, 0, 1, &vec![0; 16_385])),
        (
            "field table that overflows",
            frame(HEADERS, END_HEADERS, 1, &[0x3f, 0xe1, 0xff, 0xff, 0xff, 0x7f]),
        ),
        ("index that is not there", frame(HEADERS, END_HEADERS, 1, &[0xff, 0xff, 0x7f])),
        ("priority of a wrong length on stream 0", frame(PRIORITY, 0, 0, &[0; 5])),
    ];
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for (case, frames) in cases {
            let taken = take(&client, &frames);
            assert!(matches!(taken, Taken::Ended | Taken::Reset), "{case}: {taken:?}");
        }
        let mut connection = client.offering(&[b"h2"]).connect().expect("a handshake");
        connection
            .write_all(b"GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n")
            .expect("it goes out");
        let ended = loop {
            match read_frame(&mut connection) {
                Ok((GOAWAY, ..)) | Err(_) => break true,
                Ok(_) => {}
            }
        };
        assert!(ended, "a preface is asked for");
    });
}
