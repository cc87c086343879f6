//! Addresses as the table keeps them: cut into blocks, halved, with a rule below.

/// What a prefix says beside its first address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// How many bits count.
    pub(super) length: u32,
    /// Whether it admits for ever.
    pub(super) is_lasting: bool,
}

/// The bits of an address. IPv4 has no lower half.
pub(super) trait Bits: Copy + Ord {
    const WIDTH: u32;
    /// How many halves are kept of it.
    const HALVES: usize;
    type Half: Half;
    /// From the upper bits of a wider number.
    fn of(bits: u128) -> Self;
    /// The upper half without its first bits, and the lower half.
    fn halves(self, behind: u32) -> (Self::Half, Option<Self::Half>);
    /// How many of the first bits are the same.
    fn common(self, other: Self) -> u32;
    /// So many bits, fewer than 32, behind the first ones.
    fn cut(self, behind: u32, count: u32) -> usize;
    /// The last address of the prefix that begins with it.
    fn last(self, length: u32) -> Self;
}

/// Bits of an address, highest first; those of the upper half above a rule.
pub(super) trait Half: Copy + Ord {
    const RULE_BITS: u32;
    fn with_rule(self, rule: Rule) -> Self;
    fn rule(self) -> Rule;
    fn without_rule(self) -> Self;
    /// How many of the first bits are the same; nothing if all are, but for those
    /// of the rule.
    fn same(self, other: Self) -> Option<u32>;
    /// How many of the first bits are the same, without a rule.
    fn common(self, other: Self) -> u32;
}

/// A number as a half, with so many bits for a rule.
macro_rules! half {
    ($number:ty, $rule_bits:literal) => {
        impl Half for $number {
            const RULE_BITS: u32 = $rule_bits;

            fn with_rule(self, rule: Rule) -> Self {
                let rule = Self::from(rule.is_lasting) | (rule.length as Self) << 1;
                self | rule
            }

            fn rule(self) -> Rule {
                let rule = self & ((1 << Self::RULE_BITS) - 1);
                Rule { length: (rule >> 1) as u32, is_lasting: rule & 1 == 1 }
            }

            fn without_rule(self) -> Self {
                self >> Self::RULE_BITS << Self::RULE_BITS
            }

            fn same(self, other: Self) -> Option<u32> {
                let differ = (self ^ other).without_rule();
                (differ != 0).then(|| differ.leading_zeros())
            }

            fn common(self, other: Self) -> u32 {
                (self ^ other).leading_zeros()
            }
        }
    };
}

half!(u32, 7);
half!(u64, 9);

impl Bits for u32 {
    const WIDTH: u32 = Self::BITS;
    const HALVES: usize = 1;
    type Half = Self;

    fn of(bits: u128) -> Self {
        (bits >> (u128::BITS - Self::BITS)) as Self
    }

    fn halves(self, behind: u32) -> (Self, Option<Self>) {
        (self.checked_shl(behind).unwrap_or(0), None)
    }

    fn common(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }

    fn cut(self, behind: u32, count: u32) -> usize {
        (self << behind >> (Self::BITS - count)) as usize
    }

    fn last(self, length: u32) -> Self {
        self | Self::MAX.checked_shr(length).unwrap_or(0)
    }
}

impl Bits for u128 {
    const WIDTH: u32 = Self::BITS;
    const HALVES: usize = 2;
    type Half = u64;

    fn of(bits: u128) -> Self {
        bits
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of the number")]
    fn halves(self, behind: u32) -> (u64, Option<u64>) {
        let upper = (self >> u64::BITS) as u64;
        (upper.checked_shl(behind).unwrap_or(0), Some(self as u64))
    }

    fn common(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }

    /// Nearly always they lie in the upper half, which is quicker to shift.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 32 bits are left")]
    fn cut(self, behind: u32, count: u32) -> usize {
        if behind + count <= u64::BITS {
            let upper = (self >> u64::BITS) as u64;
            return (upper << behind >> (u64::BITS - count)) as usize;
        }
        (self << behind >> (Self::BITS - count)) as usize
    }

    fn last(self, length: u32) -> Self {
        self | Self::MAX.checked_shr(length).unwrap_or(0)
    }
}
