//! The cells of a table as memory that the kernel shares.
//!
//! Invariant: root words are written whole, after the cells that they lead to.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use filter_common::poptrie::{Cell, ROOT_WORDS};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// The memory of a table's map.
#[derive(Debug)]
pub(super) struct Mapping {
    cells: NonNull<Cell>,
    count: u32,
}

// SAFETY: the memory is mapped for the whole process, and is written through
// `&mut self` alone.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps an array of so many cells.
    pub(super) fn new(map: impl AsFd, count: u32) -> io::Result<Self> {
        let bytes = bytes(count).ok_or(io::ErrorKind::InvalidInput)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let memory = unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, map, 0)? };
        Ok(Self { cells: memory.cast(), count })
    }

    /// How many cells there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Some of the cells.
    pub(super) fn cells(&self, first: u32, count: usize) -> &[Cell] {
        assert!(first as usize + count <= self.count as usize, "cells lie inside the table");
        // SAFETY: inside the mapping, as asserted, and any bytes are a cell.
        unsafe { std::slice::from_raw_parts(self.cells.add(first as usize).as_ptr(), count) }
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
    pub(super) fn set_root(&mut self, word: u32, value: u32) {
        assert!(word < ROOT_WORDS, "the root has no such word");
        // SAFETY: the root lies at the start of the mapping, which is aligned
        // to a page; both sides access its words whole.
        let word = unsafe { AtomicU32::from_ptr(self.cells.as_ptr().cast::<u32>().add(word as usize)) };
        word.store(value, Ordering::Release);
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

fn bytes(count: u32) -> Option<NonZeroUsize> {
    NonZeroUsize::new(count as usize * size_of::<Cell>())
}
