//! The table that stands in front of a long list's trie.

use filter_common::poptrie::{
    Answer, MAX_NODES, WORDS_PER_CELL, Walk, enter, is_held_back, root_index, sieve_index, step,
};
use filter_common::trie::{ACCELERATED, ListRef, place, sieve_bits};

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
    let table = if source.is_v4 { TABLES4.get(place) } else { TABLES6.get(place) };
    let Some(table) = table else { return Answer::Ask };
    let sieve_bits = sieve_bits(list);
    match word(table, sieve_index(source.high, sieve_bits)) {
        Some(word) if is_held_back(word, source.high, sieve_bits) => Answer::Refused,
        Some(_) => look_up(table, source.high, source.low),
        None => Answer::Ask,
    }
}

/// Not inlined: the walk has a stack frame of its own.
#[inline(never)]
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
        match self.table.get(self.node) {
            Some([cell]) => self.goes_on(step(cell, self.region, self.high, self.low)),
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

/// A word of the root or the sieve.
#[inline(always)]
fn word(table: &Table, index: u32) -> Option<u32> {
    let cell = table.get_ptr(index / WORDS_PER_CELL)?;
    let word = cell.cast::<u32>().wrapping_add((index % WORDS_PER_CELL) as usize);
    // SAFETY: the word lies inside the cell, which is a live element of an
    // array map; user space writes it while we read, hence volatile.
    Some(unsafe { word.read_volatile() })
}
