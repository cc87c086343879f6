//! What every client does: each has to be answered, or passed over.

use super::case::Expected::{Acknowledged, Answered, Pong, PongOrEnd};
use super::case::{Case, case};
use super::frames::{
    ACK, AUTHORITY, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, MARK,
    PADDED, PATH, PING, POST, PREFACE, PRIORITISED, SCHEME, WHOLE, block, dependency, frame, get,
    page, ping, post, priority, reset, settings, window_update,
};

pub(super) fn cases() -> Vec<Case> {
    [streams(), requests(), control(), blocks()].into_iter().flatten().collect()
}

/// Frames that a stream takes in the state it is in (section 5.1).
fn streams() -> Vec<Case> {
    let answered = Answered(1, 200);
    vec![
        case("5.1 PRIORITY, idle", [priority(1, 0, 255), get(1)], answered.clone()),
        case("5.1 WINDOW_UPDATE, half-closed", [get(1), window_update(1, 1)], answered.clone()),
        case("5.1 PRIORITY, half-closed", [get(1), priority(1, 0, 255)], answered.clone()),
        case("5.1 RST_STREAM, half-closed", [get(1), reset(1, CANCEL), ping(MARK)], Pong(MARK)),
        case("5.1 PRIORITY, closed", [get(1)], answered)
            .then([priority(1, 0, 255), ping(MARK)], Pong(MARK)),
    ]
}

fn requests() -> Vec<Case> {
    let answered = Answered(1, 200);
    let last = |octets: &[u8]| frame(DATA, END_STREAM, 1, octets);
    let padded = [&[4][..], &page(), &[0; 4]].concat();
    let ranked = [dependency(0, 255), page()].concat();
    let head = block(&[(":method", "HEAD"), SCHEME, PATH, AUTHORITY]);
    let trailers = |fields: &[(&str, &str)]| frame(HEADERS, WHOLE, 1, &block(fields));
    let te = [page(), block(&[("te", "trailers")])].concat();
    let known = block(&[POST, SCHEME, PATH, AUTHORITY, ("content-length", "4")]);
    vec![
        case("6.1 DATA", [post(1), last(b"data")], answered.clone()),
        case(
            "6.1 several DATA",
            [post(1), frame(DATA, 0, 1, b"da"), last(b"ta")],
            answered.clone(),
        ),
        case(
            "6.1 DATA with padding",
            [post(1), frame(DATA, PADDED | END_STREAM, 1, b"\x04data\0\0\0\0")],
            answered.clone(),
        ),
        case("6.1 DATA without octets", [post(1), last(b"")], answered.clone()),
        case("6.2 HEADERS", [get(1)], answered.clone()),
        case(
            "6.2 HEADERS with padding",
            [frame(HEADERS, WHOLE | PADDED, 1, &padded)],
            answered.clone(),
        ),
        case(
            "6.2 HEADERS with a priority",
            [frame(HEADERS, WHOLE | PRIORITISED, 1, &ranked)],
            answered.clone(),
        ),
        case("8.1 HEAD", [frame(HEADERS, WHOLE, 1, &head)], answered.clone()),
        case(
            "8.1 POST of a known length",
            [frame(HEADERS, END_HEADERS, 1, &known), last(b"data")],
            answered.clone(),
        ),
        case(
            "8.1 POST with trailers",
            [post(1), frame(DATA, 0, 1, b"data"), trailers(&[("x-sum", "7")])],
            answered.clone(),
        ),
        // Section 8.3 wants the stream reset; the crate h2 drops such a field
        // instead, so that none of it is passed on.
        case(
            "8.3 pseudo-field in trailers",
            [post(1), frame(DATA, 0, 1, b"data"), trailers(&[(":method", "GET")])],
            answered.clone(),
        ),
        case("8.2.2 te: trailers", [frame(HEADERS, WHOLE, 1, &te)], answered.clone()),
        case("5.1 two requests at once", [get(1), get(3)], answered)
            .then([get(5)], Answered(5, 200)),
    ]
}

/// Frames beside the requests.
fn control() -> Vec<Case> {
    let goaway = |code: u8| frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, code]);
    let exclusive = 1 << 31;
    vec![
        Case::bare("3.4 preface", &[PREFACE, &settings(&[])].concat(), Acknowledged),
        case("6.3 lightest", [priority(1, 0, 0), get(1)], Answered(1, 200)),
        case("6.3 heaviest", [priority(1, 0, 255), get(1)], Answered(1, 200)),
        case("6.3 dependency", [priority(3, 1, 15), get(1)], Answered(1, 200)),
        case("6.3 exclusive", [priority(3, 1 | exclusive, 15), get(1)], Answered(1, 200)),
        case("6.3 idle, then a lower stream", [priority(5, 0, 15), get(3)], Answered(3, 200)),
        case("6.4 RST_STREAM", [post(1), reset(1, CANCEL), ping(MARK)], Pong(MARK)),
        case("6.4 RST_STREAM, unknown code", [post(1), reset(1, 0xff), ping(MARK)], Pong(MARK)),
        case("6.5 SETTINGS", [settings(&[(3, 100)])], Acknowledged),
        case("6.5.2 SETTINGS, unknown name", [settings(&[(0xff, 1)]), ping(MARK)], Pong(MARK)),
        case("6.5.3 SETTINGS, several", [settings(&[(3, 9), (4, 9), (3, 8)])], Acknowledged),
        case("6.7 PING", [ping(MARK)], Pong(MARK)),
        case("6.7 PING, acknowledged", [frame(PING, ACK, 0, b"answered"), ping(MARK)], Pong(MARK)),
        case("6.8 GOAWAY", [goaway(0), ping(MARK)], PongOrEnd(MARK)),
        case("7 GOAWAY, unknown code", [goaway(0xff), ping(MARK)], PongOrEnd(MARK)),
        case("6.9 WINDOW_UPDATE, connection", [window_update(0, 1), ping(MARK)], Pong(MARK)),
        case("6.9 WINDOW_UPDATE, stream", [get(1), window_update(1, 1)], Answered(1, 200)),
    ]
}

/// Blocks of fields in several frames (section 6.10).
fn blocks() -> Vec<Case> {
    let (page, answered) = (page(), Answered(1, 200));
    let (start, rest) = page.split_at(9);
    let (middle, end) = rest.split_at(1);
    let opens = frame(HEADERS, END_STREAM, 1, start);
    let ends = |octets| frame(CONTINUATION, END_HEADERS, 1, octets);
    vec![
        case("6.10 CONTINUATION", [opens.clone(), ends(rest)], answered.clone()),
        case(
            "6.10 several CONTINUATION",
            [opens.clone(), frame(CONTINUATION, 0, 1, middle), ends(end)],
            answered.clone(),
        ),
        case(
            "6.10 CONTINUATION without octets",
            [opens, frame(CONTINUATION, 0, 1, rest), ends(b"")],
            answered,
        ),
    ]
}
