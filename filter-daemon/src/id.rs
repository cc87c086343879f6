//! Object ids: 24 lower-case hex digits on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The id of a group, an app or an entry: 4 bytes of Unix seconds, 4 of a
/// number that the store gives out once, both in network order, and 4 random
/// bytes. So ids sort by the time they were made, and no two are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 12]);

/// A text that is not 24 lower-case hex digits.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an id: an id is 24 lower-case hex digits")]
pub struct InvalidId(String);

impl ObjectId {
    /// Puts an id together from its parts.
    pub fn from_parts(unix_seconds: u32, number: u32, random: [u8; 4]) -> Self {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&unix_seconds.to_be_bytes());
        bytes[4..8].copy_from_slice(&number.to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        Self(bytes)
    }

    /// From what `to_bytes` gave.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// Its bytes, which sort as it does.
    pub fn to_bytes(self) -> [u8; 12] {
        self.0
    }

    /// The Unix second in which it was made.
    pub fn made(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The number in it.
    pub fn number(self) -> u32 {
        let [_, _, _, _, a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Its 24 digits, written to a buffer: a list has a million of them.
    pub fn encode(self, buffer: &mut [u8; 24]) -> &str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (pair, byte) in buffer.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        std::str::from_utf8(buffer).expect("hex digits are ASCII")
    }

    /// The last four bytes, which are random: enough to tell two ids apart
    /// where there are few.
    pub fn tail(self) -> u32 {
        let [.., a, b, c, d] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode(&mut [0; 24]))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.as_bytes();
        let mut bytes = [0; 12];
        if digits.len() != 24 {
            return Err(InvalidId(text.to_owned()));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (Some(high), Some(low)) = (hex_value(pair[0]), hex_value(pair[1])) else {
                return Err(InvalidId(text.to_owned()));
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; 24]))
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_parts_and_its_digits() {
        let id = ObjectId::from_parts(0x0102_0304, 0xa0b0_c0d0, [9, 0x1f, 0, 0xff]);
        assert_eq!(id.to_string(), "01020304a0b0c0d0091f00ff");
        assert_eq!((id.number(), id.tail()), (0xa0b0_c0d0, 0x091f_00ff));
        assert_eq!(id.to_string().parse::<ObjectId>().expect("an id"), id);
        assert_eq!(serde_json::to_string(&id).expect("a text"), format!("{:?}", id.to_string()));
    }
}
