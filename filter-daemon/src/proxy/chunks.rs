//! Where a chunked body ends (RFC 9112, section 7.1), seen from outside of the
//! HTTP library: every byte is looked at, none is changed. Pure.
//!
//! Stricter than the standard where implementations read differently: lines
//! end with CR LF alone, no space stands around a size, no field is folded.

/// How far a chunked body was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    state: State,
    /// Octets of the chunk that are still to come, or its size so far.
    left: u64,
    /// Octets of size digits, of an extension, or of all trailer fields.
    length: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    End,
}

/// The body cannot be followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadChunk;

const MOST_SIZE_DIGITS: u32 = 15;
const LONGEST_EXTENSION_BYTES: u32 = 256;
const LONGEST_TRAILER_BYTES: u32 = 8 << 10;

impl Chunks {
    /// Follows the body through some bytes: how many of them belong to it.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        let mut at = 0;
        while at < bytes.len() && !self.has_ended() {
            if self.state == State::Data {
                let there = u64::try_from(bytes.len() - at).unwrap_or(u64::MAX);
                let taken = usize::try_from(self.left.min(there)).unwrap_or(usize::MAX);
                self.left -= taken as u64;
                at += taken;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            self.step(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    /// Whether all of the body was seen.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::End
    }

    fn step(&mut self, byte: u8) -> Result<(), BadChunk> {
        self.state = match (self.state, byte) {
            (State::Size, b'\r') if self.length > 0 => State::SizeEnd,
            (State::Size, b';') if self.length > 0 => self.begin(State::Extension),
            (State::Size, digit) => self.digit(digit)?,
            (State::Extension, b'\r') => State::SizeEnd,
            (State::Extension, _) => self.text(byte, LONGEST_EXTENSION_BYTES, State::Extension)?,
            (State::SizeEnd, b'\n') if self.left == 0 => self.begin(State::TrailerStart),
            (State::SizeEnd, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => self.begin(State::Size),
            (State::TrailerStart, b'\r') => State::TrailerLf,
            (State::TrailerStart, b' ' | b'\t') => return Err(BadChunk),
            (State::Trailer, b'\r') => {
                self.left = 1;
                State::TrailerLf
            }
            (State::TrailerStart | State::Trailer, _) => {
                self.text(byte, LONGEST_TRAILER_BYTES, State::Trailer)?
            }
            (State::TrailerLf, b'\n') if self.left == 0 => State::End,
            (State::TrailerLf, b'\n') => {
                self.left = 0;
                State::TrailerStart
            }
            (
                State::SizeEnd
                | State::Data
                | State::DataCr
                | State::DataLf
                | State::TrailerLf
                | State::End,
                _,
            ) => return Err(BadChunk),
        };
        Ok(())
    }

    fn begin(&mut self, state: State) -> State {
        self.length = 0;
        state
    }

    fn digit(&mut self, digit: u8) -> Result<State, BadChunk> {
        let value = char::from(digit).to_digit(16).ok_or(BadChunk)?;
        if self.length == MOST_SIZE_DIGITS {
            return Err(BadChunk);
        }
        self.left = if self.length == 0 { 0 } else { self.left << 4 } | u64::from(value);
        self.length += 1;
        Ok(State::Size)
    }

    fn text(&mut self, byte: u8, longest: u32, state: State) -> Result<State, BadChunk> {
        self.length += 1;
        let fits = self.length <= longest && (byte == b'\t' || !byte.is_ascii_control());
        if fits { Ok(state) } else { Err(BadChunk) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &[u8] = b"GET / HTTP/1.1\r\n";

    #[test]
    fn a_body_ends_where_it_ends_however_it_is_cut() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
            "000A;name=value\r\n0123456789\r\n0\r\n\r\n",
            "1\r\n\n\r\n0\r\nExpires: never\r\nX-Sum: 1\r\n\r\n",
        ] {
            let bytes = [body.as_bytes(), NEXT].concat();
            for cut in 0..bytes.len() {
                let mut chunks = Chunks::default();
                let first = chunks.follow(&bytes[..cut]).expect(body);
                let second = chunks.follow(&bytes[first..]).expect(body);
                assert!(chunks.has_ended(), "{body:?} cut at {cut}");
                assert_eq!(first + second, body.len(), "{body:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for body in [
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            " 5\r\nhello\r\n",
            "5 \r\nhello\r\n",
            "0x5\r\nhello\r\n",
            "+5\r\nhello\r\n",
            "\r\n",
            ";a\r\n",
            "5;a\nb\r\nhello\r\n",
            "5;a\rb",
            "fffffffffffffffff\r\n",
            "0\r\n folded\r\n\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\n\rX",
        ] {
            assert_eq!(Chunks::default().follow(body.as_bytes()), Err(BadChunk), "{body:?}");
        }
        let endless = format!("5;{}", "a".repeat(300));
        assert_eq!(Chunks::default().follow(endless.as_bytes()), Err(BadChunk));
        let endless = format!("0\r\nA: {}", "a".repeat(9000));
        assert_eq!(Chunks::default().follow(endless.as_bytes()), Err(BadChunk));
    }
}
