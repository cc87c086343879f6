//! The cells of a table as memory that the kernel shares.
//!
//! Invariant: words of root and sieve are written whole, those of the root
//! after the cells that they lead to.

use std::io;
use std::mem::offset_of;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use filter_common::poptrie::{
    CELLS_PER_LINE, COARSE_LINE, Cell, END_CELL, FINE_LINE, PIECE_LINES, SIEVE_LINE,
    SIEVE_WORDS_PER_LINE, WORDS_PER_CELL,
};
use filter_common::sieve::{Coarse, Fine, Mark};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// Cells of a piece of a table but for its last piece; they fill whole pages.
const PIECE_CELLS: u32 = PIECE_LINES * CELLS_PER_LINE;

/// The memory of a table's pieces.
#[derive(Debug)]
pub(super) struct Mapping {
    cells: NonNull<Cell>,
    count: u32,
}

// SAFETY: the memory is mapped for the whole process, and is written through
// `&mut self` alone.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the pieces of a table, of so many cells together, side by side; a
    /// table has more than its root and the forms of its sieve.
    pub(super) fn new<'a>(
        pieces: impl IntoIterator<Item = BorrowedFd<'a>>,
        count: u32,
    ) -> io::Result<Self> {
        let whole = bytes(count).filter(|_| count > END_CELL).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let room =
            unsafe { mmap_anonymous(None, whole, ProtFlags::PROT_NONE, MapFlags::MAP_PRIVATE)? };
        let mapping = Self { cells: room.cast(), count };
        for (first, piece) in (0..count).step_by(PIECE_CELLS as usize).zip(pieces) {
            let bytes = bytes(PIECE_CELLS.min(count - first)).ok_or(io::ErrorKind::InvalidInput)?;
            let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
            let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
            // SAFETY: inside the room, which nobody knows of yet.
            unsafe {
                let place = mapping.cells.add(first as usize).addr();
                mmap(Some(place), bytes, protection, flags, piece, 0)?;
            }
        }
        Ok(mapping)
    }

    /// How many cells there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// One of the cells.
    pub(super) fn cell(&self, place: u32) -> Cell {
        assert!(place < self.count, "a cell lies inside the table");
        // SAFETY: inside the mapping, as asserted, and any bytes are a cell.
        unsafe { self.cells.add(place as usize).read() }
    }

    /// Writes cells that no root word leads to.
    pub(super) fn write(&mut self, first: u32, cells: &[Cell]) {
        assert!(first as usize + cells.len() <= self.count as usize, "cells lie inside the table");
        // SAFETY: inside the mapping, as asserted; the kernel reads none of
        // them before a root word leads there.
        unsafe {
            let target = self.cells.add(first as usize).as_ptr();
            target.copy_from_nonoverlapping(cells.as_ptr(), cells.len());
        }
    }

    /// Writes a word of the root; what was written before is seen by whoever
    /// sees the word.
    pub(super) fn set_word(&mut self, place: u32, value: u32) {
        assert!(place / WORDS_PER_CELL < self.count, "a word lies inside the table");
        // SAFETY: inside the mapping, as asserted, which is aligned to a page;
        // both sides access its words whole.
        let word =
            unsafe { AtomicU32::from_ptr(self.cells.as_ptr().cast::<u32>().add(place as usize)) };
        word.store(value, Ordering::Release);
    }

    /// The forms of the sieve's meshes.
    pub(super) fn forms(&self) -> (Coarse, Fine) {
        // SAFETY: inside the mapping, see `new`; any bytes are a form.
        unsafe { (self.line(COARSE_LINE).cast().read(), self.line(FINE_LINE).cast().read()) }
    }

    /// Writes the forms of a table that is in force nowhere yet.
    pub(super) fn set_forms(&mut self, coarse: Coarse, fine: Fine) {
        // SAFETY: inside the mapping, see `new`.
        unsafe {
            self.line(COARSE_LINE).cast().write(coarse);
            self.line(FINE_LINE).cast().write(fine);
        }
    }

    /// Has the sieve let everything through.
    pub(super) fn open_sieve(&mut self) {
        self.set_word(word_of(COARSE_LINE, offset_of!(Coarse, shift)), 0);
        self.set_word(word_of(FINE_LINE, offset_of!(Fine, words)), 0);
    }

    fn line(&self, line: u32) -> NonNull<Cell> {
        // SAFETY: inside the mapping, see `new`.
        unsafe { self.cells.add((line * CELLS_PER_LINE) as usize) }
    }

    /// Sets bits of the sieve.
    pub(super) fn mark(&mut self, mark: Mark) {
        let place = SIEVE_LINE * SIEVE_WORDS_PER_LINE + mark.word;
        let cell = place / (SIEVE_WORDS_PER_LINE / CELLS_PER_LINE);
        assert!(cell < self.count, "a word lies inside the table");
        // SAFETY: as in `set_word`.
        let word =
            unsafe { AtomicU64::from_ptr(self.cells.as_ptr().cast::<u64>().add(place as usize)) };
        // Nobody else writes it.
        word.store(word.load(Ordering::Relaxed) | mark.bits, Ordering::Release);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let bytes = bytes(self.count).map_or(0, NonZeroUsize::get);
        // SAFETY: mapped by `new` with this length, and nothing borrows it.
        let unmapped = unsafe { munmap(self.cells.cast(), bytes) };
        debug_assert_eq!(unmapped, Ok(()), "what was mapped can be unmapped");
    }
}

/// The word at an offset into a line, counted as those of the root.
fn word_of(line: u32, offset: usize) -> u32 {
    let words = u32::try_from(offset / size_of::<u32>()).expect("a line is short");
    line * CELLS_PER_LINE * WORDS_PER_CELL + words
}

fn bytes(count: u32) -> Option<NonZeroUsize> {
    NonZeroUsize::new(count as usize * size_of::<Cell>())
}
