//! Requests that are malformed (RFC 9113, sections 8.1 to 8.3 and 8.5): those
//! that HTTP/2 rules out reset their stream, and those that the proxy rules out
//! are told so.

use super::case::Expected::{Answered, Reset};
use super::case::{Case, case};
use super::frames::{
    AUTHORITY, DATA, END_HEADERS, END_STREAM, HEADERS, METHOD, PATH, POST, PROTOCOL_ERROR, SCHEME,
    WHOLE, block, frame, post,
};

type Field<'a> = (&'a str, &'a str);

/// Those of which nothing may reach an upstream.
pub(super) fn malformed() -> Vec<Case> {
    let refused = [added(), instead()].concat().into_iter().map(|(name, fields)| {
        case(name, [frame(HEADERS, WHOLE, 1, &block(&fields))], Reset(&[PROTOCOL_ERROR]))
    });
    let answered = answered().into_iter().map(|(name, status, fields)| {
        case(name, [frame(HEADERS, WHOLE, 1, &block(&fields))], Answered(1, status))
    });
    let mut cases: Vec<Case> = refused.chain(answered).collect();
    let (head, data) = sized("x", &[b"a"]);
    cases.push(case("8.1.1 length that is no number", [head, data], Reset(&[PROTOCOL_ERROR])));
    cases
}

/// Those whose beginning is in order.
pub(super) fn broken_later() -> Vec<Case> {
    let refused = Reset(&[PROTOCOL_ERROR]);
    let of = |name: &str, length: &str, data: &[&[u8]]| {
        let (head, data) = sized(length, data);
        case(name, [head, data], refused.clone())
    };
    let trailers = |flags, fields: &[Field<'_>]| {
        [post(1), frame(DATA, 0, 1, b"data"), frame(HEADERS, flags, 1, &block(fields))]
    };
    vec![
        of("8.1.1 longer than it said", "1", &[b"data"]),
        of("8.1.1 shorter than it said", "9", &[b"data"]),
        of("8.1.1 longer, in several DATA", "5", &[b"data", b"data"]),
        of("8.1.1 shorter, in several DATA", "9", &[b"data", b"data"]),
        case(
            "8.1 HEADERS again, without an end",
            trailers(END_HEADERS, &[("x", "1")]),
            refused.clone(),
        ),
        case("8.2 upper case in trailers", trailers(WHOLE, &[("X-Upper", "1")]), refused),
    ]
}

/// A body that comes in parts, under a length.
fn sized(length: &str, parts: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let fields = [POST, SCHEME, PATH, AUTHORITY, ("content-length", length)];
    let (last, before) = parts.split_last().expect("a part");
    let mut data: Vec<u8> = before.iter().flat_map(|part| frame(DATA, 0, 1, part)).collect();
    data.extend(frame(DATA, END_STREAM, 1, last));
    (frame(HEADERS, END_HEADERS, 1, &block(&fields)), data)
}

/// A field behind those that every request has.
fn added() -> Vec<(&'static str, Vec<Field<'static>>)> {
    let cases = [
        ("8.2.1 CR LF in a value", ("x", "a\r\nX-Smuggled: 1")),
        ("8.2.1 LF in a value", ("x", "a\nb")),
        ("8.2.1 NUL in a value", ("x", "a\0b")),
        ("8.2.1 CR LF in a name", ("x\r\ny", "1")),
        ("8.2.1 colon in a name", ("x:y", "1")),
        ("8.2.1 space in a name", ("x y", "1")),
        ("8.2.1 upper case in a name", ("X-Upper", "1")),
        ("8.2.1 empty name", ("", "1")),
        ("8.2.2 transfer-encoding", ("transfer-encoding", "chunked")),
        ("8.2.2 connection", ("connection", "keep-alive")),
        ("8.2.2 upgrade", ("upgrade", "h2c")),
        ("8.2.2 keep-alive", ("keep-alive", "1")),
        ("8.2.2 proxy-connection", ("proxy-connection", "1")),
        ("8.2.2 te", ("te", "gzip")),
        ("8.2.2 te with trailers", ("te", "trailers, deflate;q=0.5")),
        ("8.3 unknown pseudo-field", (":unknown", "1")),
        ("8.3 answer's pseudo-field", (":status", "200")),
    ];
    let behind = |field| vec![METHOD, SCHEME, PATH, AUTHORITY, field];
    cases.into_iter().map(|(name, field)| (name, behind(field))).collect()
}

/// Others than those that every request has.
fn instead() -> Vec<(&'static str, Vec<Field<'static>>)> {
    vec![
        ("8.3 pseudo-field behind a field", vec![METHOD, SCHEME, PATH, ("x", "1"), AUTHORITY]),
        ("8.3.1 no method", vec![SCHEME, PATH, AUTHORITY]),
        ("8.3.1 no scheme", vec![METHOD, PATH, AUTHORITY]),
        ("8.3.1 no path", vec![METHOD, SCHEME, AUTHORITY]),
        ("8.3.1 empty path", vec![METHOD, SCHEME, (":path", ""), AUTHORITY]),
        ("8.3.1 method twice", vec![METHOD, METHOD, SCHEME, PATH, AUTHORITY]),
        ("8.3.1 scheme twice", vec![METHOD, SCHEME, SCHEME, PATH, AUTHORITY]),
        ("8.3.1 path twice", vec![METHOD, SCHEME, PATH, PATH, AUTHORITY]),
        ("8.3.1 authority twice", vec![METHOD, SCHEME, PATH, AUTHORITY, AUTHORITY]),
        ("CR LF in the path", vec![METHOD, SCHEME, (":path", "/ HTTP/1.1\r\nx: y"), AUTHORITY]),
        ("space in the path", vec![METHOD, SCHEME, (":path", "/a b"), AUTHORITY]),
        ("CR LF in the method", vec![(":method", "GET / HTTP/1.1\r\n"), SCHEME, PATH, AUTHORITY]),
        ("CR LF in the authority", vec![METHOD, SCHEME, PATH, (":authority", "a\r\nb")]),
    ]
}

/// What HTTP/2 has no say in.
fn answered() -> Vec<(&'static str, u16, Vec<Field<'static>>)> {
    let at = |name| vec![METHOD, SCHEME, PATH, (":authority", name)];
    vec![
        ("another host", 400, vec![METHOD, SCHEME, PATH, AUTHORITY, ("host", "evil.test")]),
        ("another authority", 421, at("evil.test")),
        ("user in the authority", 400, at("u@app.example.com")),
        ("CONNECT", 405, vec![(":method", "CONNECT"), AUTHORITY]),
        ("TRACE", 405, vec![(":method", "TRACE"), SCHEME, PATH, AUTHORITY]),
    ]
}
