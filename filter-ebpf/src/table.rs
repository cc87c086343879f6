//! The table that stands in front of a long list's trie.

use filter_common::poptrie::{
    Answer, CELLS_PER_LINE, COARSE_LINE, Cell, FINE_LINE, MAX_NODES, SIEVE_LINE,
    SIEVE_WORDS_PER_LINE, WORDS_PER_CELL, Walk, enter, root_index, step,
};
use filter_common::sieve::{Coarse, Fine, Mark};
use filter_common::trie::{ACCELERATED, ListRef, place};

use crate::list::Source;
use crate::maps::{TABLES4, TABLES6, Table};
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
    TABLES4.get(place).map_or(Answer::Ask, |table| ask(table, high, 0)) as u32
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn answer6(place: u32, high: u64, low: u64) -> u32 {
    TABLES6.get(place).map_or(Answer::Ask, |table| ask(table, high, low)) as u32
}

#[inline(always)]
fn ask(table: &Table, high: u64, low: u64) -> Answer {
    match is_held_back(table, high, low) {
        true => Answer::Refused,
        false => look_up(table, high, low),
    }
}

/// Whether the sieve of a table holds an address back.
#[inline(always)]
fn is_held_back(table: &Table, high: u64, low: u64) -> bool {
    is_held_back_coarsely(table, high) || is_held_back_finely(table, high, low)
}

#[inline(always)]
fn is_held_back_coarsely(table: &Table, high: u64) -> bool {
    let Some(line) = table.get_ptr(COARSE_LINE) else { return false };
    // SAFETY: the form takes one line, a live element of an array map. User
    // space writes no more of it than one field, hence volatile.
    let (form, shift) = unsafe {
        let form = &*line.cast::<Coarse>();
        (form, (&raw const form.shift).read_volatile())
    };
    form.holds_back(shift, high, |mark| has(table, mark))
}

#[inline(always)]
fn is_held_back_finely(table: &Table, high: u64, low: u64) -> bool {
    let Some(line) = table.get_ptr(FINE_LINE) else { return false };
    // SAFETY: as above.
    let (form, words) = unsafe {
        let form = &*line.cast::<Fine>();
        (form, (&raw const form.words).read_volatile())
    };
    form.holds_back(words, high, low, |mark| has(table, mark))
}

/// Whether the sieve has all bits of a mark.
#[inline(always)]
fn has(table: &Table, mark: Mark) -> bool {
    let Some(line) = table.get_ptr(SIEVE_LINE + mark.word / SIEVE_WORDS_PER_LINE) else {
        return true;
    };
    let word = line.cast::<u64>().wrapping_add((mark.word % SIEVE_WORDS_PER_LINE) as usize);
    // SAFETY: the word lies inside the line, which is a live element of an
    // array map; user space writes it while we read, hence volatile.
    mark.is_in(unsafe { word.read_volatile() })
}

#[inline(always)]
fn look_up(table: &Table, high: u64, low: u64) -> Answer {
    let Some(root) = word(table, root_index(high)) else { return Answer::Ask };
    let mut search = Search { table, high, low, region: 0, node: 0, answer: Answer::Ask };
    // The first node answers nearly always; the rest is the kernel's loop.
    if search.goes_on(enter(root, high)) && search.pass_node() {
        walk(MAX_NODES, &mut search, search_step);
    }
    search.answer
}

struct Search<'a> {
    table: &'a Table,
    high: u64,
    low: u64,
    region: u32,
    node: u32,
    answer: Answer,
}

impl Search<'_> {
    /// Looks at the node that the search stands before; whether there is
    /// another one behind it.
    #[inline(always)]
    fn pass_node(&mut self) -> bool {
        match cell(self.table, self.node) {
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

unsafe extern "C" fn search_step(_index: u32, search: &mut Search<'_>) -> Step {
    if search.pass_node() { Step::Next } else { Step::Stop }
}

/// A word of the root.
#[inline(always)]
fn word(table: &Table, index: u32) -> Option<u32> {
    let cell: *const Cell = cell(table, index / WORDS_PER_CELL)?;
    let word = cell.cast::<u32>().wrapping_add((index % WORDS_PER_CELL) as usize);
    // SAFETY: the word lies inside the cell, which is part of a live element
    // of an array map; user space writes it while we read, hence volatile.
    Some(unsafe { word.read_volatile() })
}

#[inline(always)]
fn cell(table: &Table, index: u32) -> Option<&Cell> {
    let [line] = table.get(index / CELLS_PER_LINE)?;
    let cell = (&raw const line.0).cast::<Cell>().wrapping_add((index % CELLS_PER_LINE) as usize);
    // SAFETY: one of the cells of the line.
    Some(unsafe { &*cell })
}
