//! Fields as HPACK has them (RFC 7541): every form that a client may choose,
//! and those that none may.

use super::case::Expected::{Answered, Ended};
use super::case::{Case, case};
use super::frames::{
    COMPRESSION_ERROR, HEADERS, METHOD, PATH, SCHEME, WHOLE, block, frame, page, text,
};
use crate::stage::NAME;

/// The app's name in HPACK's code, behind its length.
const CODED_NAME: &[u8] = &[0x8b, 0x1d, 0x75, 0xae, 0x5f, 0x23, 0xa6, 0xba, 0x0a, 0xb9, 0x0f, 0x4f];

/// `x-a`, likewise.
const CODED_FIELD: &[u8] = &[0x83, 0xf2, 0xb0, 0xff];

/// `GET`, `/` and `https` by their numbers in the static table.
const INDEXED: &[u8] = &[0x82, 0x84, 0x87];

/// The largest table that may be asked for here, and one octet more.
const TABLE_OF_4096: &[u8] = &[0x3f, 0xe1, 0x1f];
const TABLE_OF_4097: &[u8] = &[0x3f, 0xe2, 0x1f];

pub(super) fn cases() -> Vec<Case> {
    [literals(), tables(), faults()].into_iter().flatten().collect()
}

fn request(stream: u32, parts: &[&[u8]]) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &parts.concat())
}

/// Literal fields (section 6.2): each way to keep them, under a name of the
/// table or a new one, coded or not.
fn literals() -> Vec<Case> {
    let answered = Answered(1, 200);
    let name = text(NAME);
    let kinds =
        [("6.2.1 kept", 0x40, 0x41), ("6.2.2 not kept", 0x00, 0x01), ("6.2.3 never", 0x10, 0x11)];
    let of = |(kind, new, of_table): (&str, u8, u8)| {
        let authority = block(&[(":authority", NAME)]);
        let field = [&[new], &text("x-a")[..], &text("1")].concat();
        let coded = [&[new], CODED_FIELD, CODED_FIELD].concat();
        let wholly = [INDEXED, &authority].concat();
        [
            (format!("{kind}, indexed name"), request(1, &[INDEXED, &[of_table], &name])),
            (format!("{kind}, indexed, coded"), request(1, &[INDEXED, &[of_table], CODED_NAME])),
            (format!("{kind}, new name"), request(1, &[&wholly, &field])),
            (format!("{kind}, new name, coded"), request(1, &[&wholly, &coded])),
        ]
    };
    let cases = kinds.into_iter().flat_map(of);
    cases.map(|(name, frame)| case(name, [frame], answered.clone())).collect()
}

/// The static and the dynamic table (sections 2.3, 4.2 and 6.3).
fn tables() -> Vec<Case> {
    let answered = Answered(1, 200);
    let name = text(NAME);
    let kept = request(1, &[INDEXED, &[0x41], &name]);
    let named = request(1, &[INDEXED, &[0x41], &text("other.example.com")]);
    let cleared: &[u8] = &[0x20];
    vec![
        case("6.1 indexed", [request(1, &[INDEXED, &[0x01], &name])], answered.clone()),
        case("2.3.2 field of the dynamic table", [kept.clone()], answered.clone())
            .then([request(3, &[INDEXED, &[0xbe]])], Answered(3, 200)),
        case("2.3.2 name of the dynamic table", [named], Answered(1, 421))
            .then([request(3, &[INDEXED, &[0x7e], &name])], Answered(3, 200)),
        case("6.3 smaller table", [request(1, &[cleared, &page()])], answered.clone()),
        case("6.3 two sizes", [request(1, &[cleared, TABLE_OF_4096, &page()])], answered.clone()),
        case("4.3 table that was cleared", [kept], answered)
            .then([request(3, &[cleared, INDEXED, &[0xbe]])], Ended(&[COMPRESSION_ERROR])),
    ]
}

fn faults() -> Vec<Case> {
    let ended = Ended(&[COMPRESSION_ERROR]);
    let with = |octets: &[u8]| request(1, &[&page(), octets]);
    let value = |coded: &[u8]| with(&[&[0x00], &text("x-a")[..], coded].concat());
    vec![
        case("2.3.3 field that is in no table", [with(&[0xc6])], ended.clone()),
        case("2.3.3 name that is in no table", [with(&[0x7f, 0x07, 0x01, b'1'])], ended.clone()),
        case("4.2 size behind a field", [with(&[0x21])], ended.clone()),
        case("5.1 number without end", [with(&[0xff; 16])], ended.clone()),
        case("5.2 coded, with an octet of padding", [value(&[0x82, 0x1f, 0xff])], ended.clone()),
        case("5.2 coded, padded with zeros", [value(&[0x81, 0x18])], ended.clone()),
        case("5.2 coded, with an end", [value(&[0x84, 0xff, 0xff, 0xff, 0xff])], ended.clone()),
        case("5.2 text that is cut off", [with(&[0x00, 0x03, b'x'])], ended.clone()),
        case("6.1 index 0", [with(&[0x80])], ended.clone()),
        case("6.3 table too large", [request(1, &[TABLE_OF_4097, &page()])], ended.clone()),
        case("4.3 block that is cut off", [frame(HEADERS, WHOLE, 1, &[0x41])], ended.clone()),
        case(
            "4.3 another request's block at fault",
            [
                frame(HEADERS, WHOLE, 1, &block(&[METHOD, SCHEME, PATH])),
                request(3, &[&[0xff, 0xff, 0x7f]]),
            ],
            ended,
        ),
    ]
}
