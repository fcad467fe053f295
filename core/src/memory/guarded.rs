//! Memory between pages that nobody may touch.
#![allow(unsafe_code)]

use super::mapped::{Mapping, nonzero};
use super::{Fixed, FullBarrier, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, pass_on};
use crate::{Error, Misuse, SystemError};
use core::ptr::NonNull;
use memmap2::{MmapOptions, MmapRaw};
use rustix::mm::{MprotectFlags, mprotect};
use rustix::param::page_size;
use std::io;

/// A zeroed mapping with an inaccessible page before it and another one behind it: for tests, of a queue or of what
/// stands in for its device.
///
/// Whoever gets beyond it by a pointer is ended by the operating system (SIGSEGV) at that access, with no sanitizer
/// needed. Pages are whole, so memory of any length touches one of the two guards only, and one constructor is there
/// for each; memory of whole pages touches both.
///
/// ```text
///   behind_guard     │ guard │bytes······· │ guard │
///   before_guard     │ guard │ ·······bytes│ guard │
/// ```
#[derive(Debug)]
pub struct GuardedMemory {
    pub(super) raw: RawMemory,
    /// Bytes and guards.
    mapping: Mapping,
}

impl GuardedMemory {
    /// Maps `length` bytes that end where inaccessible memory begins.
    ///
    /// They also begin at a multiple of `alignment`, so that up to `alignment - 1` bytes are left between their end and
    /// the guard, where nothing is noticed: none if `length` is a multiple of it. Rings need an alignment of 16;
    /// buffers need none, and with 1 they always end exactly.
    ///
    /// # Errors
    /// [`Misuse::Alignment`] if `alignment` is not a power of two that divides a page, [`Misuse::MemoryEmpty`] if `length` is
    /// zero; [`SystemError::Map`] if the system refuses, for instance for lack of memory.
    pub fn before_guard(length: usize, alignment: usize) -> Result<Self, Error> {
        if !alignment.is_power_of_two() || alignment > page_size() {
            return Err(Misuse::Alignment(alignment).into());
        }
        nonzero(length)?;
        Ok(Self::map(length, |spare| spare & !(alignment - 1)).map_err(SystemError::Map)?)
    }

    /// Maps `length` bytes that begin where inaccessible memory ends, at a page.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::Map`] if the system refuses, for instance for lack of
    /// memory.
    pub fn behind_guard(length: usize) -> Result<Self, Error> {
        nonzero(length)?;
        Ok(Self::map(length, |_| 0).map_err(SystemError::Map)?)
    }

    /// Maps the pages for `length` bytes and the two guards. `place` says how far behind the first guard the bytes
    /// begin, given how many bytes of the pages are to spare.
    fn map(length: usize, place: impl FnOnce(usize) -> usize) -> io::Result<Self> {
        let page = page_size();
        let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "more bytes than an address space has");
        let pages = length.checked_next_multiple_of(page).ok_or_else(too_long)?;
        let whole = pages.checked_add(2 * page).ok_or_else(too_long)?;
        let mapping = MmapRaw::from(MmapOptions::new().len(whole).map_anon()?);
        for guard in [0, page + pages] {
            let guard = mapping.as_mut_ptr().wrapping_add(guard);
            // SAFETY: a whole page of a mapping that nobody else knows, which is not accessed from here on.
            unsafe { mprotect(guard.cast(), page, MprotectFlags::empty()) }?;
        }
        let start = mapping.as_mut_ptr().wrapping_add(page + place(pages - length));
        let start = NonNull::new(start).expect("a mapping is never at address zero");
        // SAFETY: `place` leaves the bytes between the guards, where the mapping is read and write; it is kept until
        // drop, or for ever if abandoned.
        let raw = unsafe { RawMemory::new(start, length) };
        Ok(Self { raw, mapping: Mapping::new(mapping) })
    }
}

impl SharedMemory for GuardedMemory {
    forward_accesses!(self => self.raw);

    fn abandon(&self) {
        self.mapping.abandon();
    }

    fn reclaim(&self) {
        self.mapping.reclaim();
    }
}
