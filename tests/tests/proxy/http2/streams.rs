//! Streams: what each state refuses, their numbers, how many there may be, and
//! what they depend on (RFC 9113, sections 5.1 to 5.4; RFC 7540, section 5.3).

use super::case::Expected::{self, Answered, Ended, Reset, Told};
use super::case::{Case, case};
use super::frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_SIZE_ERROR, HEADERS,
    INITIAL_WINDOW_SIZE, PING, PRIORITISED, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED, WHOLE,
    dependency, frame, get, page, post, priority, reset, settings, window_update,
};

/// One request more than a connection may have at once.
const TOO_MANY: u32 = 129;

pub(super) fn cases() -> Vec<Case> {
    [idle(), half_closed(), closed(), numbers(), dependencies(), ends()]
        .into_iter()
        .flatten()
        .collect()
}

fn idle() -> Vec<Case> {
    let ended = Ended(&[PROTOCOL_ERROR]);
    vec![
        case("5.1 DATA, idle", [frame(DATA, END_STREAM, 1, b"a")], ended.clone()),
        case("5.1 RST_STREAM, idle", [reset(1, CANCEL)], ended.clone()),
        case("5.1 WINDOW_UPDATE, idle", [window_update(1, 100)], ended.clone()),
        case("5.1 CONTINUATION, idle", [frame(CONTINUATION, END_HEADERS, 1, &page())], ended),
    ]
}

/// The frames that no stream takes any more, and what each leads to.
fn late() -> [(&'static str, Vec<u8>, Expected); 3] {
    [
        ("DATA", frame(DATA, END_STREAM, 1, b"a"), Reset(&[STREAM_CLOSED])),
        ("HEADERS", get(1), Reset(&[STREAM_CLOSED])),
        (
            "CONTINUATION",
            frame(CONTINUATION, END_HEADERS, 1, &page()),
            Ended(&[STREAM_CLOSED, PROTOCOL_ERROR]),
        ),
    ]
}

/// The client has said all, and the answer waits for its window.
fn half_closed() -> Vec<Case> {
    let no_window = settings(&[(INITIAL_WINDOW_SIZE, 0)]);
    let cases = late().into_iter().map(|(name, frame, expected)| {
        case(format!("5.1 {name}, half-closed"), [no_window.clone(), get(1), frame], expected)
    });
    cases.collect()
}

fn closed() -> Vec<Case> {
    let reset_before = late().into_iter().map(|(name, frame, expected)| {
        case(format!("5.1 {name}, reset"), [post(1), reset(1, CANCEL), frame], expected)
    });
    let answered_before = late().into_iter().map(|(name, frame, expected)| {
        case(format!("5.1 {name}, closed"), [get(1)], Answered(1, 200)).then([frame], expected)
    });
    reset_before.chain(answered_before).collect()
}

fn numbers() -> Vec<Case> {
    let ended = Ended(&[PROTOCOL_ERROR]);
    let many = (0..TOO_MANY).flat_map(|number| get(2 * number + 1)).collect();
    vec![
        case("5.1.1 even", [get(2)], ended.clone()),
        case("5.1.1 lower than one before", [get(5), get(3)], ended),
        case(
            "5.1.2 too many",
            [settings(&[(INITIAL_WINDOW_SIZE, 0)]), many],
            Reset(&[PROTOCOL_ERROR, REFUSED_STREAM]),
        ),
    ]
}

fn dependencies() -> Vec<Case> {
    let of_itself = [dependency(1, 15), page()].concat();
    let refused = Reset(&[PROTOCOL_ERROR]);
    vec![
        case(
            "5.3.1 HEADERS that depend on themselves",
            [frame(HEADERS, WHOLE | PRIORITISED, 1, &of_itself)],
            refused.clone(),
        ),
        case("5.3.1 PRIORITY that depends on itself", [post(1), priority(1, 1, 15)], refused),
    ]
}

/// How a connection ends that is at fault (section 5.4.1).
fn ends() -> Vec<Case> {
    let wrong_stream = || frame(PING, 0, 1, &[0; 8]);
    vec![
        case("5.4.1 it is closed", [frame(PING, 0, 0, &[0; 6])], Ended(&[FRAME_SIZE_ERROR])),
        case("5.4.1 it is told why", [wrong_stream()], Told(PROTOCOL_ERROR)),
    ]
}
