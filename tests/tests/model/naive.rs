//! The naive model: a list of pairs, searched from one end to the other, bit
//! by bit. Shares no code with the program or the daemon: not even the parser
//! of addresses.

/// An address of a family: 4 or 16 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits(pub(crate) Vec<u8>);

/// An address and how many of its bits count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) address: Bits,
    pub(crate) length: usize,
}

impl Bits {
    pub(crate) fn bit(&self, position: usize) -> bool {
        self.0[position / 8] & (0x80 >> (position % 8)) != 0
    }

    pub(crate) fn set_bit(&mut self, position: usize, on: bool) {
        let mask = 0x80 >> (position % 8);
        if on {
            self.0[position / 8] |= mask;
        } else {
            self.0[position / 8] &= !mask;
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.0.len() * 8
    }

    /// The address after this one, or before it; around the end.
    pub(crate) fn neighbour(&self, up: bool) -> Self {
        let mut next = self.clone();
        for position in (0..self.width()).rev() {
            let old = next.bit(position);
            next.set_bit(position, !old);
            if old != up {
                break;
            }
        }
        next
    }

    /// Dotted or colon-separated text, never abbreviated.
    pub(crate) fn text(&self) -> String {
        if self.0.len() == 4 {
            return self.0.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
        }
        let groups = self.0.chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]));
        groups.collect::<Vec<_>>().join(":")
    }
}

impl Pair {
    /// With the bits that do not count set to zero.
    pub(crate) fn new(mut address: Bits, length: usize) -> Self {
        (length..address.width()).for_each(|position| address.set_bit(position, false));
        Self { address, length }
    }

    pub(crate) fn covers(&self, address: &Bits) -> bool {
        self.address.width() == address.width()
            && (0..self.length).all(|position| self.address.bit(position) == address.bit(position))
    }

    /// The last address inside.
    pub(crate) fn last(&self) -> Bits {
        let mut last = self.address.clone();
        (self.length..last.width()).for_each(|position| last.set_bit(position, true));
        last
    }

    pub(crate) fn text(&self) -> String {
        format!("{}/{}", self.address.text(), self.length)
    }
}

/// The place of the longest pair that covers an address.
pub(crate) fn lookup(pairs: &[Pair], address: &Bits) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (place, pair) in pairs.iter().enumerate() {
        if pair.covers(address) && best.is_none_or(|best| pairs[best].length < pair.length) {
            best = Some(place);
        }
    }
    best
}

/// Addresses that nobody has: the program drops them before any list.
pub(crate) fn is_martian(address: &Bits) -> bool {
    let bytes = &address.0;
    if bytes.len() == 4 {
        return bytes[0] == 0 || bytes[0] == 127 || bytes[0] >= 224;
    }
    let embeds_v4 = bytes[..10].iter().all(|byte| *byte == 0)
        && (bytes[10..12] == [0, 0] || bytes[10..12] == [0xff, 0xff]);
    bytes[0] == 0xff || embeds_v4
}
