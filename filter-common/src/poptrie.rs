//! A table in front of a trie that says of nearly every address in a few
//! memory reads whether the trie covers it.
//!
//! A multiway trie whose nodes count bits to find their children: Poptrie
//! (Asai and Ohara, SIGCOMM 2015), with the skipped bits of a Patricia trie
//! added. It knows no entry and no expiry; of addresses for which these matter
//! it says that the trie is to be asked.
//!
//! A table begins with its [`Front`], which has a map of its own: with the one
//! value of an array that is always as long, the kernel's verifier turns a
//! look-up into a few instructions. It holds the root, a word for each value of
//! the first 16 address bits, and of a [sieve](crate::sieve) the forms, the
//! coarse mesh, and a fine one if it is small. Addresses that the sieve holds
//! back are refused at once.
//!
//! Then come the words of a large fine mesh and [`Cell`]s, two to a [`Line`]. Lines
//! lie in arrays, the [pieces](PIECES) of the table: each is made, emptied and
//! freed by itself, in short steps.
//!
//! A word that is no [`ROOT_ASK`], [`ROOT_REFUSED`] or [`ROOT_ADMITTED`] is the
//! index of a region: [`QUARTERS`] nodes for the two bits that follow, and the
//! nodes below them. What nodes point to is relative to their region, so that
//! a region can lie anywhere.
//!
//! Invariants: a region that a root word names is never written to; it is
//! replaced by writing the root word, and its cells are used again after a
//! grace period. A zeroed table is correct: it asks the trie about everything.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a few bits of an address, cut out before they are cast"
)]

use core::mem::offset_of;

use crate::pod;
use crate::sieve::{Coarse, Fine};
use crate::trie::TRIE_PLACES;

/// Bits of an address that choose a word of the root.
pub const ROOT_BITS: u32 = 16;

/// Words of the root.
pub const ROOT_WORDS: u32 = 1 << ROOT_BITS;

/// Cells in one line.
pub const CELLS_PER_LINE: u32 = 2;

/// Words of the sieve in the front: 512 KiB.
pub const FRONT_WORDS: u32 = 1 << 16;

/// The first line of a large fine mesh. The cells before it are none, as
/// their indexes as root words would say something else.
pub const FINE_LINE: u32 = 2;

/// Words of the fine mesh in one line.
pub const FINE_WORDS_PER_LINE: u32 = 8;

/// A root word: ask the trie.
pub const ROOT_ASK: u32 = 0;
/// A root word: no prefix covers these addresses.
pub const ROOT_REFUSED: u32 = 1;
/// A root word: prefixes without expiry cover all of these addresses.
pub const ROOT_ADMITTED: u32 = 2;

/// Nodes at the top of a region.
pub const QUARTERS: u32 = 4;

/// Bits that are behind a walk when it enters the top of a region.
pub const TOP_DEPTH: u32 = ROOT_BITS + 2;

/// Bits of an address that one node looks at.
pub const STRIDE: u32 = 6;

/// The most bits that a node can skip: they and its own fit a word.
pub const MAX_SKIP: u32 = u64::BITS - STRIDE;

/// The most nodes on a walk: each but the last moves on by a stride.
pub const MAX_NODES: u32 = (128 - TOP_DEPTH).div_ceil(STRIDE) + 1;

/// Lines of a piece of a table but for its last piece: 1 MiB. A kernel makes
/// it in one go, and that takes two milliseconds where a hypervisor has yet to
/// find the memory.
pub const PIECE_LINES: u32 = 1 << 14;

/// The most pieces of a table.
pub const PIECES: u32 = 192;

/// How many pieces the kernel side has places for, per family.
pub const PIECE_PLACES: u32 = TRIE_PLACES * PIECES;

/// The place of a piece, by the place of the trie.
#[inline(always)]
pub const fn piece_place(place: u32, piece: u32) -> u32 {
    place.wrapping_mul(PIECES).wrapping_add(piece)
}

/// Flags of a front's map, `BPF_F_MMAPABLE` (include/uapi/linux/bpf.h): user
/// space writes it as memory.
pub const FRONT_MAP_FLAGS: u32 = 1 << 10;

/// Flags of a piece's map: `BPF_F_INNER_MAP` as well, so that pieces of any
/// length fit the same place. Each look-up is a call for that.
pub const PIECE_MAP_FLAGS: u32 = FRONT_MAP_FLAGS | 1 << 12;

/// What a table begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Front {
    /// The words of the root.
    pub root: [u32; ROOT_WORDS as usize],
    /// The form of the sieve's coarse mesh.
    pub coarse: Coarse,
    /// The form of its fine mesh.
    pub fine: Fine,
    /// Where cells begin that were never used. No packet looks at it.
    pub end: u32,
    /// Always zero: the words begin with a page.
    pub reserved: [u32; 991],
    /// The words of the coarse mesh, and of a fine one that fits behind them.
    pub words: [u64; FRONT_WORDS as usize],
}

/// A node: what becomes of the 64 blocks that six bits of an address tell
/// apart. Bit `i` of `mixed` and `full` speaks of block `i`:
///
/// | `mixed` | `full` | the block |
/// | --- | --- | --- |
/// | 0 | 0 | is refused |
/// | 0 | 1 | is admitted |
/// | 1 | 0 | has a node of its own |
/// | 1 | 1 | the trie is to be asked |
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cell {
    /// See above.
    pub mixed: u64,
    /// See above.
    pub full: u64,
    /// What the `skip` address bits in front of this node's own must be, in
    /// the low bits; an address that differs is refused.
    pub path: u64,
    /// Where the nodes of blocks begin, relative to the region, in the order
    /// of the blocks that have one.
    pub base: u32,
    /// How many address bits lie in front of the six of this node.
    pub depth: u8,
    /// How many of them are compared with `path`, at most [`MAX_SKIP`].
    pub skip: u8,
    /// Always zero.
    pub reserved: u16,
}

/// What one element of a piece's map holds: as much as a CPU fetches at once.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Line(pub [Cell; CELLS_PER_LINE as usize]);

/// What a table says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Answer {
    /// No prefix covers it.
    Refused = 0,
    /// A prefix without expiry covers it.
    Admitted = 1,
    /// The trie is to be asked.
    Ask = 2,
}

impl Answer {
    /// The answer of a number; the trie knows about what is none.
    #[inline(always)]
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Refused,
            1 => Self::Admitted,
            _ => Self::Ask,
        }
    }
}

/// Where a walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Walk {
    /// At its end.
    End(Answer),
    /// Before a node of a region, both by their index.
    At {
        /// The region's first cell.
        region: u32,
        /// The node.
        node: u32,
    },
}

/// The root word of an address: its index. Of all functions here `high` and
/// `low` are the bits of an address, from the highest of `high` to the lowest
/// of `low`; an IPv4 address lies in the upper half of `high`.
#[inline(always)]
pub const fn root_index(high: u64) -> u32 {
    (high >> (u64::BITS - ROOT_BITS)) as u32
}

/// Starts a walk with the root word of an address.
#[inline(always)]
pub const fn enter(root: u32, high: u64) -> Walk {
    match root {
        ROOT_ASK => Walk::End(Answer::Ask),
        ROOT_REFUSED => Walk::End(Answer::Refused),
        ROOT_ADMITTED => Walk::End(Answer::Admitted),
        region => {
            let quarter = (high >> (u64::BITS - TOP_DEPTH)) as u32 % QUARTERS;
            Walk::At { region, node: region.wrapping_add(quarter) }
        }
    }
}

/// Moves a walk on from a node of a region.
#[inline(always)]
pub const fn step(cell: &Cell, region: u32, high: u64, low: u64) -> Walk {
    let window = bits_before(high, low, cell.depth as u32 + STRIDE);
    let skipped = (window >> STRIDE) & low_bits(cell.skip as u32);
    if skipped != cell.path {
        return Walk::End(Answer::Refused);
    }
    let block = (window & low_bits(STRIDE)) as u32;
    let mixed = cell.mixed.wrapping_shr(block) & 1;
    let full = cell.full.wrapping_shr(block) & 1;
    match (mixed, full) {
        (0, 0) => Walk::End(Answer::Refused),
        (0, _) => Walk::End(Answer::Admitted),
        (_, 0) => {
            let before = (cell.mixed & !cell.full & low_bits(block)).count_ones();
            Walk::At { region, node: region.wrapping_add(cell.base).wrapping_add(before) }
        }
        (..) => Walk::End(Answer::Ask),
    }
}

/// The 64 address bits in front of a position from 1 to 128, zeros in front of
/// the address's own.
#[inline(always)]
const fn bits_before(high: u64, low: u64, position: u32) -> u64 {
    if position <= u64::BITS {
        high.wrapping_shr(u64::BITS - position)
    } else {
        let into_low = position - u64::BITS;
        (high << (into_low - 1) << 1) | low.wrapping_shr(u64::BITS - into_low)
    }
}

/// A word whose lowest bits are ones: fewer than 64 of them.
#[inline(always)]
const fn low_bits(count: u32) -> u64 {
    1_u64.wrapping_shl(count).wrapping_sub(1)
}

const _: () = assert!(size_of::<Cell>() == 32);
const _: () = assert!(size_of::<Line>() == 64);
const _: () = assert!(size_of::<Line>() == 8 * FINE_WORDS_PER_LINE as usize);
const _: () = assert!(FINE_LINE * CELLS_PER_LINE > ROOT_ADMITTED);
const _: () = assert!(size_of::<Front>() == (256 + 4 + 512) << 10);
const _: () = assert!(offset_of!(Front, words) == (256 + 4) << 10);

pod!(Cell, Line, Front);
