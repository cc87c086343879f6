//! The status in the fields of an answer, which always come first.

/// The status that a block begins with: an index of the static table, or a
/// literal under its name (RFC 7541, appendix A).
pub(super) fn status(block: &[u8]) -> u16 {
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
