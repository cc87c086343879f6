//! The table that stands in front of a long list's trie.

use filter_common::poptrie::{
    Answer, CELLS_PER_LINE, Cell, FINE_LINE, FINE_WORDS_PER_LINE, FRONT_WORDS, Front, Line,
    MAX_NODES, PIECE_LINES, Walk, enter, piece_place, root_index, step,
};
use filter_common::sieve::Mark;
use filter_common::trie::{ACCELERATED, ListRef, place};

use crate::list::Source;
use crate::maps::{FRONTS4, FRONTS6, PIECES4, PIECES6, Piece};
use crate::scan::{Step, walk};

/// What the table of a list says of a source; that the trie is to be asked
/// when there is no table.
#[inline(always)]
pub(crate) fn answer(source: Source, list: ListRef) -> Answer {
    if list & ACCELERATED == 0 {
        return Answer::Ask;
    }
    let place = place(list);
    let answer = match source.is_v4 {
        true => answer4(place, source.high),
        false => answer6(place, source.high, source.low),
    };
    Answer::from_raw(answer)
}

/// One for each family, as the kernel calls the look-up of a map directly only
/// where it knows the map. And with linkage of their own: so the verifier looks
/// at them once, not at every call.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn answer4(place: u32, high: u64) -> u32 {
    ask::<true>(place, high, 0) as u32
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn answer6(place: u32, high: u64, low: u64) -> u32 {
    ask::<false>(place, high, low) as u32
}

#[inline(always)]
fn ask<const V4: bool>(place: u32, high: u64, low: u64) -> Answer {
    let Some(front) = front::<V4>(place) else { return Answer::Ask };
    if is_held_back_coarsely(front, high) || is_held_back_finely::<V4>(front, place, high, low) {
        return Answer::Refused;
    }
    let word = &raw const front.root[root_index(high) as usize];
    // SAFETY: a live word of an array map; user space writes it while we read,
    // hence volatile.
    follow::<V4>(place, unsafe { word.read_volatile() }, high, low)
}

/// What the table of a place begins with.
#[inline(always)]
fn front<const V4: bool>(place: u32) -> Option<&'static Front> {
    let map = if V4 { FRONTS4.get(place) } else { FRONTS6.get(place) };
    let [front] = map?.get(0)?;
    Some(front)
}

/// A piece of the table of a place.
#[inline(always)]
fn piece<const V4: bool>(place: u32, piece: u32) -> Option<&'static Piece> {
    let place = piece_place(place, piece);
    if V4 { PIECES4.get(place) } else { PIECES6.get(place) }
}

/// A line of the table of a place.
#[inline(always)]
fn line<const V4: bool>(place: u32, index: u32) -> Option<*const [Line; 1]> {
    piece::<V4>(place, index / PIECE_LINES)?.get_ptr(index % PIECE_LINES)
}

/// Whether the coarse mesh of a table's sieve holds an address back.
#[inline(always)]
fn is_held_back_coarsely(front: &Front, high: u64) -> bool {
    // SAFETY: a live field; user space writes it while we read, hence volatile.
    let shift = unsafe { (&raw const front.coarse.shift).read_volatile() };
    front.coarse.holds_back(shift, high, |mark| is_in_front(front, mark.word, mark))
}

/// The same for its fine mesh.
#[inline(always)]
fn is_held_back_finely<const V4: bool>(front: &Front, place: u32, high: u64, low: u64) -> bool {
    // SAFETY: as above.
    let words = unsafe { (&raw const front.fine.words).read_volatile() };
    if front.fine.first != 0 {
        return front.fine.holds_back(words, high, low, |mark| {
            is_in_front(front, front.fine.first + mark.word, mark)
        });
    }
    front.fine.holds_back(words, high, low, |mark| {
        let line = line::<V4>(place, FINE_LINE + mark.word / FINE_WORDS_PER_LINE);
        let Some(line) = line else { return true };
        let word = line.cast::<u64>().wrapping_add((mark.word % FINE_WORDS_PER_LINE) as usize);
        // SAFETY: the word lies inside the line, which is a live element of an
        // array map; user space writes it while we read, hence volatile.
        mark.is_in(unsafe { word.read_volatile() })
    })
}

/// Whether a word of the front has all bits of a mark.
#[inline(always)]
fn is_in_front(front: &Front, word: u32, mark: Mark) -> bool {
    let word = &raw const front.words[(word % FRONT_WORDS) as usize];
    // SAFETY: a live word; user space writes it while we read, hence volatile.
    mark.is_in(unsafe { word.read_volatile() })
}

/// Walks from a root word to the end.
#[inline(always)]
fn follow<const V4: bool>(place: u32, root: u32, high: u64, low: u64) -> Answer {
    let mut search = Search { high, low, place, region: 0, node: 0, answer: Answer::Ask };
    // The first node answers nearly always; the rest is the kernel's loop.
    if search.goes_on(enter(root, high)) && search.pass_node::<V4>() {
        walk(MAX_NODES, &mut search, search_step::<V4>);
    }
    search.answer
}

struct Search {
    high: u64,
    low: u64,
    place: u32,
    region: u32,
    node: u32,
    answer: Answer,
}

impl Search {
    /// Looks at the node that the search stands before; whether there is
    /// another one behind it.
    #[inline(always)]
    fn pass_node<const V4: bool>(&mut self) -> bool {
        let line = line::<V4>(self.place, self.node / CELLS_PER_LINE);
        match line.map(|line| cell(line, self.node)) {
            Some(cell) => self.goes_on(step(cell, self.region, self.high, self.low)),
            None => false,
        }
    }

    #[inline(always)]
    fn goes_on(&mut self, walk: Walk) -> bool {
        match walk {
            Walk::End(answer) => {
                self.answer = answer;
                false
            }
            Walk::At { region, node } => {
                (self.region, self.node) = (region, node);
                true
            }
        }
    }
}

unsafe extern "C" fn search_step<const V4: bool>(_index: u32, search: &mut Search) -> Step {
    if search.pass_node::<V4>() { Step::Next } else { Step::Stop }
}

/// The cell of an index, given its line.
#[inline(always)]
fn cell(line: *const [Line; 1], index: u32) -> &'static Cell {
    let cell = line.cast::<Cell>().wrapping_add((index % CELLS_PER_LINE) as usize);
    // SAFETY: one of the cells of the line, a live element of an array map.
    unsafe { &*cell }
}
