//! The cells of a table as memory that the kernel shares.
//!
//! Invariant: words of root and sieve are written whole, those of the root
//! after the cells that they lead to.

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use filter_common::poptrie::{
    CELLS_PER_LINE, Cell, FINE_LINE, FINE_WORDS_PER_LINE, FRONT_WORDS, Front, PIECE_LINES,
    ROOT_WORDS,
};
use filter_common::sieve::{Coarse, Fine, Mark};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// Cells of a piece of a table but for its last piece; they fill whole pages.
const PIECE_CELLS: u32 = PIECE_LINES * CELLS_PER_LINE;

/// The memory of a table: of its front, and of its pieces side by side.
#[derive(Debug)]
pub(super) struct Mapping {
    front: Room,
    pieces: Room,
    /// Cells of all pieces.
    count: u32,
}

/// Addresses of ours.
#[derive(Debug)]
struct Room {
    start: NonNull<c_void>,
    bytes: NonZeroUsize,
}

// SAFETY: the memory is mapped for the whole process, and is written through
// `&mut Mapping` alone.
unsafe impl Send for Room {}

impl Room {
    fn new(bytes: usize) -> io::Result<Self> {
        let bytes = NonZeroUsize::new(bytes).ok_or(io::ErrorKind::InvalidInput)?;
        let flags = MapFlags::MAP_PRIVATE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { mmap_anonymous(None, bytes, ProtFlags::PROT_NONE, flags)? };
        Ok(Self { start, bytes })
    }

    /// Maps what a map holds to a place in here.
    fn map(&self, offset: usize, bytes: usize, map: BorrowedFd<'_>) -> io::Result<()> {
        let fits = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes.get());
        let bytes = NonZeroUsize::new(bytes).filter(|_| fits).ok_or(io::ErrorKind::InvalidInput)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        // SAFETY: inside the room, where nobody reads yet.
        unsafe {
            let place = self.start.byte_add(offset).addr();
            mmap(Some(place), bytes, protection, flags, map, 0)?;
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and nothing borrows it.
        let unmapped = unsafe { munmap(self.start, self.bytes.get()) };
        debug_assert_eq!(unmapped, Ok(()), "what was mapped can be unmapped");
    }
}

impl Mapping {
    /// Maps the front of a table and its pieces, of so many cells together.
    pub(super) fn new<'a>(
        front_map: BorrowedFd<'_>,
        piece_maps: impl IntoIterator<Item = BorrowedFd<'a>>,
        count: u32,
    ) -> io::Result<Self> {
        let bytes = |cells: u32| cells as usize * size_of::<Cell>();
        let (front, pieces) = (Room::new(size_of::<Front>())?, Room::new(bytes(count))?);
        front.map(0, size_of::<Front>(), front_map)?;
        for (first, piece) in (0..count).step_by(PIECE_CELLS as usize).zip(piece_maps) {
            pieces.map(bytes(first), bytes(PIECE_CELLS.min(count - first)), piece)?;
        }
        Ok(Self { front, pieces, count })
    }

    /// How many cells there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Writes cells that no root word leads to.
    pub(super) fn write(&mut self, first: u32, cells: &[Cell]) {
        assert!(first as usize + cells.len() <= self.count as usize, "cells lie inside the table");
        // SAFETY: inside the mapping, as asserted; the kernel reads none of
        // them before a root word leads there.
        unsafe {
            let target = self.pieces.start.cast::<Cell>().add(first as usize).as_ptr();
            target.copy_from_nonoverlapping(cells.as_ptr(), cells.len());
        }
    }

    /// Writes a word of the root; what was written before is seen by whoever
    /// sees the word.
    pub(super) fn set_word(&mut self, place: u32, value: u32) {
        assert!(place < ROOT_WORDS, "a word lies inside the root");
        // SAFETY: inside the front, as asserted.
        unsafe { store((&raw mut (*self.front()).root).cast::<u32>().add(place as usize), value) }
    }

    /// The forms of the sieve's meshes.
    pub(super) fn forms(&self) -> (Coarse, Fine) {
        // SAFETY: the front is mapped, and any bytes are a form.
        unsafe { ((*self.front()).coarse, (*self.front()).fine) }
    }

    /// Writes the forms of a table that is in force nowhere yet.
    pub(super) fn set_forms(&mut self, coarse: Coarse, fine: Fine) {
        // SAFETY: the front is mapped.
        unsafe { ((*self.front()).coarse, (*self.front()).fine) = (coarse, fine) }
    }

    /// Has the sieve let everything through.
    pub(super) fn open_sieve(&mut self) {
        // SAFETY: the front is mapped.
        unsafe {
            store(&raw mut (*self.front()).coarse.shift, 0);
            store(&raw mut (*self.front()).fine.words, 0);
        }
    }

    /// Where cells begin that were never used.
    pub(super) fn end(&self) -> u32 {
        // SAFETY: the front is mapped.
        unsafe { (*self.front()).end }
    }

    /// Notes where they begin.
    pub(super) fn set_end(&mut self, end: u32) {
        // SAFETY: the front is mapped, and no packet looks at this.
        unsafe { (*self.front()).end = end }
    }

    /// Sets bits of the coarse mesh.
    pub(super) fn mark_coarse(&mut self, mark: Mark) {
        self.mark_front(mark.word, mark.bits);
    }

    /// Sets bits of the fine mesh.
    pub(super) fn mark_fine(&mut self, mark: Mark) {
        // SAFETY: the front is mapped.
        let first = unsafe { (*self.front()).fine.first };
        if first != 0 {
            return self.mark_front(first + mark.word, mark.bits);
        }
        let place = FINE_LINE * FINE_WORDS_PER_LINE + mark.word;
        let cell = place / (FINE_WORDS_PER_LINE / CELLS_PER_LINE);
        assert!(cell < self.count, "a word lies inside the table");
        // SAFETY: inside the pieces, as asserted.
        unsafe { add_bits(self.pieces.start.cast::<u64>().add(place as usize).as_ptr(), mark.bits) }
    }

    fn mark_front(&mut self, word: u32, bits: u64) {
        assert!(word < FRONT_WORDS, "a word lies inside the front");
        // SAFETY: inside the front, as asserted.
        unsafe {
            let words = (&raw mut (*self.front()).words).cast::<u64>();
            add_bits(words.add(word as usize), bits);
        }
    }

    fn front(&self) -> *mut Front {
        self.front.start.cast().as_ptr()
    }
}

/// Writes a word that the kernel reads.
///
/// # Safety
///
/// The word is aligned and mapped, and we access it in no other way at the time.
unsafe fn store(word: *mut u32, value: u32) {
    // SAFETY: as the caller says.
    unsafe { AtomicU32::from_ptr(word) }.store(value, Ordering::Release);
}

/// Sets bits of a word that the kernel reads.
///
/// # Safety
///
/// As of [`store`].
unsafe fn add_bits(word: *mut u64, bits: u64) {
    // SAFETY: as the caller says.
    let word = unsafe { AtomicU64::from_ptr(word) };
    // Nobody else writes it.
    word.store(word.load(Ordering::Relaxed) | bits, Ordering::Release);
}
