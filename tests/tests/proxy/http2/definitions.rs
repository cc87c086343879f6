//! Each type of frame: the stream it belongs to, its length, its values
//! (RFC 9113, section 6), and the windows (section 6.9).

use super::case::Expected::{Ended, Octets, Reset};
use super::case::{Case, case};
use super::frames::{
    ACK, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY,
    HEADERS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, PADDED, PING, PRIORITY, PROTOCOL_ERROR,
    PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED, WHOLE, WINDOW_UPDATE, frame, get, page,
    post, reset, settings, window_update,
};

/// The largest window that there may be.
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

pub(super) fn cases() -> Vec<Case> {
    [places(), lengths(), values(), overflows(), windows()].into_iter().flatten().collect()
}

/// Frames where none of their type belongs.
fn places() -> Vec<Case> {
    let ended = Ended(&[PROTOCOL_ERROR]);
    vec![
        case("6.1 DATA on stream 0", [frame(DATA, 0, 0, b"a")], ended.clone()),
        case(
            "6.1 DATA behind the last",
            [settings(&[(INITIAL_WINDOW_SIZE, 0)]), get(1), frame(DATA, END_STREAM, 1, b"a")],
            Reset(&[STREAM_CLOSED]),
        ),
        case("6.2 HEADERS on stream 0", [frame(HEADERS, WHOLE, 0, &page())], ended.clone()),
        case("6.3 PRIORITY on stream 0", [frame(PRIORITY, 0, 0, &[0; 5])], ended.clone()),
        case("6.4 RST_STREAM on stream 0", [reset(0, 0)], ended.clone()),
        case("6.5 SETTINGS on a stream", [frame(SETTINGS, 0, 1, &[])], ended.clone()),
        case("6.7 PING on a stream", [frame(PING, 0, 1, &[0; 8])], ended.clone()),
        case("6.8 GOAWAY on a stream", [frame(GOAWAY, 0, 1, &[0; 8])], ended.clone()),
        case(
            "8.4 PUSH_PROMISE of a client",
            [get(1), frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2], &page()[..]].concat())],
            ended,
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let ended = Ended(&[FRAME_SIZE_ERROR]);
    let padding = Ended(&[PROTOCOL_ERROR]);
    let too_padded = |kind, flags, octets: &[u8]| {
        let length = u8::try_from(octets.len() + 1).expect("few octets");
        frame(kind, flags | PADDED, 1, &[&[length], octets].concat())
    };
    vec![
        case("6.1 DATA of padding", [post(1), too_padded(DATA, END_STREAM, b"a")], padding.clone()),
        case(
            "6.1 DATA padded without a length",
            [post(1), frame(DATA, PADDED, 1, &[])],
            Ended(&[PROTOCOL_ERROR, FRAME_SIZE_ERROR]),
        ),
        case("6.2 HEADERS of padding", [too_padded(HEADERS, WHOLE, &page())], padding),
        case(
            "6.3 PRIORITY too short",
            [post(1), frame(PRIORITY, 0, 1, &[0; 4])],
            Reset(&[FRAME_SIZE_ERROR]),
        ),
        case(
            "6.4 RST_STREAM too short",
            [post(1), frame(RST_STREAM, 0, 1, &[0; 3])],
            ended.clone(),
        ),
        case("6.5 SETTINGS cut off", [frame(SETTINGS, 0, 0, &[0, 3, 0])], ended.clone()),
        case("6.5 acknowledgement with a value", [frame(SETTINGS, ACK, 0, &[0; 6])], ended.clone()),
        case("6.7 PING too short", [frame(PING, 0, 0, &[0; 6])], ended.clone()),
        case("6.8 GOAWAY too short", [frame(GOAWAY, 0, 0, &[0; 7])], ended.clone()),
        case("6.9 WINDOW_UPDATE too short", [frame(WINDOW_UPDATE, 0, 0, &[0; 3])], ended),
    ]
}

fn values() -> Vec<Case> {
    let ended = Ended(&[PROTOCOL_ERROR]);
    vec![
        case("6.5.2 push neither on nor off", [settings(&[(ENABLE_PUSH, 2)])], ended.clone()),
        case(
            "6.5.2 window too large",
            [settings(&[(INITIAL_WINDOW_SIZE, LARGEST_WINDOW + 1)])],
            Ended(&[FLOW_CONTROL_ERROR]),
        ),
        case("6.5.2 frames too small", [settings(&[(MAX_FRAME_SIZE, 16_383)])], ended.clone()),
        case("6.5.2 frames too large", [settings(&[(MAX_FRAME_SIZE, 1 << 24)])], ended.clone()),
        case("6.9 WINDOW_UPDATE of 0", [window_update(0, 0)], ended),
        case(
            "6.9 WINDOW_UPDATE of 0 on a stream",
            [post(1), window_update(1, 0)],
            Reset(&[PROTOCOL_ERROR]),
        ),
    ]
}

/// Windows that would be larger than they may be (section 6.9.1).
fn overflows() -> Vec<Case> {
    let twice = |stream| window_update(stream, LARGEST_WINDOW).repeat(2);
    vec![
        case("6.9.1 connection's window", [twice(0)], Ended(&[FLOW_CONTROL_ERROR])),
        case("6.9.1 stream's window", [post(1), twice(1)], Reset(&[FLOW_CONTROL_ERROR])),
        case(
            "6.9.2 stream's window by SETTINGS",
            [
                post(1),
                window_update(1, LARGEST_WINDOW - 65_535),
                settings(&[(INITIAL_WINDOW_SIZE, 65_536)]),
            ],
            Ended(&[FLOW_CONTROL_ERROR]),
        ),
    ]
}

/// An answer comes in frames as large as its window is.
fn windows() -> Vec<Case> {
    let window = |octets| settings(&[(INITIAL_WINDOW_SIZE, octets)]);
    vec![
        case("6.9.1 window of one octet", [window(1), get(1)], Octets(1)),
        case("6.9.2 window that opens later", [window(0), get(1), window(1)], Octets(1)),
        case("6.9.2 window below nothing", [window(3), get(1)], Octets(3))
            .then([window(2), window_update(1, 2)], Octets(1)),
        case(
            "6.5.3 one SETTINGS, in its order",
            [settings(&[(INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)]), get(1)],
            Octets(1),
        ),
        case("6.9 window of a stream", [window(0), get(1), window_update(1, 2)], Octets(2)),
    ]
}
