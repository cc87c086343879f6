//! Frames as such: their head, their length, those that nobody knows, and
//! blocks of fields that other frames break into (RFC 9113, sections 3 to 5.5
//! and 6.10).

use super::case::Expected::{Answered, Ended, Pong, Reset};
use super::case::{Case, case};
use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_SIZE_ERROR, HEADERS, LARGEST, MARK, PING,
    PRIORITY, PROTOCOL_ERROR, SETTINGS, UNKNOWN, WHOLE, block, frame, get, page, ping, post,
    priority, settings,
};

pub(super) fn cases() -> Vec<Case> {
    [prefaces(), heads(), lengths(), blocks()].into_iter().flatten().collect()
}

fn prefaces() -> Vec<Case> {
    let ended = Ended(&[PROTOCOL_ERROR]);
    let wrong = [&b"INVALID CONNECTION PREFACE\r\n\r\n"[..], &settings(&[])].concat();
    let other = [&b"PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n"[..], &settings(&[])].concat();
    vec![
        Case::bare("3.4 wrong preface", &wrong, ended.clone()),
        Case::bare("3.4 preface wrong at its end", &other, ended.clone()),
        Case::bare("3.4 no preface", &settings(&[]).repeat(3), ended.clone()),
        Case::bare("3.4 HTTP/1.1", b"GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n", ended),
    ]
}

fn heads() -> Vec<Case> {
    let pong = Pong(MARK);
    let reserved = 1 << 31;
    vec![
        case("4.1 unknown type", [frame(UNKNOWN, 0, 0, &[0; 8]), ping(MARK)], pong.clone()),
        case("4.1 unknown flags", [frame(PING, 0x16, 0, &MARK)], pong.clone()),
        case("4.1 reserved bit", [frame(PING, 0, reserved, &MARK)], pong.clone()),
        case(
            "4.1 reserved bit of a request",
            [frame(HEADERS, WHOLE, 1 | reserved, &page())],
            Answered(1, 200),
        ),
        case("5.5 unknown type on a stream", [frame(UNKNOWN, 0, 1, &[0; 8]), ping(MARK)], pong),
        case(
            "5.5 unknown type within a block",
            [frame(HEADERS, END_STREAM, 1, &page()), frame(UNKNOWN, 0, 0, &[0; 8])],
            Ended(&[PROTOCOL_ERROR]),
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let long = "a".repeat(LARGEST);
    let fields = [page(), block(&[("x-long", &long)])].concat();
    let size = Ended(&[FRAME_SIZE_ERROR]);
    vec![
        case(
            "4.2 largest frame",
            [post(1), frame(DATA, END_STREAM, 1, &[0; LARGEST])],
            Answered(1, 200),
        ),
        case(
            "4.2 DATA too large",
            [post(1), frame(DATA, END_STREAM, 1, &[0; LARGEST + 1])],
            Reset(&[FRAME_SIZE_ERROR]),
        ),
        case("4.2 HEADERS too large", [frame(HEADERS, WHOLE, 1, &fields)], size.clone()),
        case("4.2 unknown type too large", [frame(UNKNOWN, 0, 0, &[0; LARGEST + 1])], size.clone()),
        case("4.2 SETTINGS too large", [frame(SETTINGS, 0, 0, &[0; 16_386])], size),
    ]
}

/// Nothing comes between the frames of one block, and none of them alone
/// (sections 4.3, 6.2 and 6.10).
fn blocks() -> Vec<Case> {
    let ended = Ended(&[PROTOCOL_ERROR]);
    let opens = || frame(HEADERS, END_STREAM, 1, &page());
    let goes_on = |flags, stream| frame(CONTINUATION, flags, stream, &block(&[("x", "1")]));
    vec![
        case("6.2 PRIORITY within a block", [opens(), priority(1, 0, 0)], ended.clone()),
        case("6.2 HEADERS of another stream within a block", [opens(), get(3)], ended.clone()),
        case("6.2 PING within a block", [opens(), ping(MARK)], ended.clone()),
        case("6.2 SETTINGS within a block", [opens(), settings(&[])], ended.clone()),
        case(
            "6.10 PRIORITY after CONTINUATION",
            [opens(), goes_on(0, 1), frame(PRIORITY, 0, 1, &[0; 5])],
            ended.clone(),
        ),
        case(
            "6.10 DATA after CONTINUATION",
            [opens(), goes_on(0, 1), frame(DATA, END_STREAM, 1, b"a")],
            ended.clone(),
        ),
        case("6.10 CONTINUATION on stream 0", [opens(), goes_on(END_HEADERS, 0)], ended.clone()),
        case(
            "6.10 CONTINUATION of another stream",
            [opens(), goes_on(END_HEADERS, 3)],
            ended.clone(),
        ),
        case("6.10 CONTINUATION alone", [goes_on(END_HEADERS, 1)], ended.clone()),
        case(
            "6.10 CONTINUATION after HEADERS that end",
            [post(1), goes_on(END_HEADERS, 1)],
            ended.clone(),
        ),
        case(
            "6.10 CONTINUATION after one that ends",
            [opens(), goes_on(END_HEADERS, 1), goes_on(END_HEADERS, 1)],
            ended.clone(),
        ),
        case(
            "6.10 CONTINUATION after DATA",
            [post(1), frame(DATA, 0, 1, b"a"), goes_on(END_HEADERS, 1)],
            ended,
        ),
    ]
}
