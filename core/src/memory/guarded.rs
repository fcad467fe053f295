//! Memory between inaccessible pages.
#![allow(unsafe_code)]

use super::mapped::{Mapping, nonzero};
use super::{
    FullBarrier, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, UncheckedAccess,
    forward_unchecked_access,
};
use crate::{Error, Misuse, SystemError};
use core::ptr::NonNull;
use memmap2::{MmapOptions, MmapRaw};
use rustix::mm::{MprotectFlags, mprotect};
use rustix::param::page_size;
use std::io;

/// A zeroed mapping between two inaccessible guard pages, for tests of a queue or of a simulated device.
///
/// If an access by pointer reaches a guard page, the operating system ends the process at that access (SIGSEGV). This needs
/// no sanitizer. Guards are whole pages. Memory of whole pages is adjacent to both guards. Memory of another length is
/// adjacent to one guard only, and the constructor selects which one.
///
/// ```text
///   behind_guard     │ guard │bytes······· │ guard │
///   before_guard     │ guard │ ·······bytes│ guard │
/// ```
#[derive(Debug)]
pub struct GuardedMemory {
    pub(super) raw: RawMemory,
    /// The whole mapping: the bytes and both guards.
    mapping: Mapping,
}

impl GuardedMemory {
    /// Maps `length` bytes that end at a guard page.
    ///
    /// The bytes begin at a multiple of `alignment`, in bytes. If `length` is not a multiple of `alignment`, up to
    /// `alignment - 1` accessible bytes remain before the guard, and accesses to these are not detected. Rings need an
    /// alignment of 16. Buffers need none: with 1 they end exactly at the guard.
    ///
    /// # Errors
    /// [`Misuse::Alignment`] if `alignment` is not a power of two up to the page size; [`Misuse::MemoryEmpty`] if `length` is
    /// zero; [`SystemError::Map`] if the operating system cannot map the memory.
    pub fn before_guard(length: usize, alignment: usize) -> Result<Self, Error> {
        if !alignment.is_power_of_two() || alignment > page_size() {
            return Err(Misuse::Alignment(alignment).into());
        }
        nonzero(length)?;
        Ok(Self::map(length, |spare| spare & !(alignment - 1)).map_err(SystemError::Map)?)
    }

    /// Maps `length` bytes that begin directly after a guard page, so they are page-aligned.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::Map`] if the operating system cannot map the memory.
    pub fn behind_guard(length: usize) -> Result<Self, Error> {
        nonzero(length)?;
        Ok(Self::map(length, |_| 0).map_err(SystemError::Map)?)
    }

    /// Maps the pages for `length` bytes and the two guards. `start_offset` gets the number of unused bytes in the pages and
    /// returns the offset of the first byte from the end of the first guard.
    fn map(length: usize, start_offset: impl FnOnce(usize) -> usize) -> io::Result<Self> {
        let page = page_size();
        let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "the length exceeds the address space");
        let pages = length.checked_next_multiple_of(page).ok_or_else(too_long)?;
        let whole = pages.checked_add(2 * page).ok_or_else(too_long)?;
        let mapping = MmapRaw::from(MmapOptions::new().len(whole).map_anon()?);
        for guard in [0, page + pages] {
            let guard = mapping.as_mut_ptr().wrapping_add(guard);
            // SAFETY: this is a whole page of a new mapping. Nobody else has its address, and this crate never accesses it.
            unsafe { mprotect(guard.cast(), page, MprotectFlags::empty()) }?;
        }
        let start = mapping.as_mut_ptr().wrapping_add(page + start_offset(pages - length));
        let start = NonNull::new(start).expect("a mapping is never at address zero");
        // SAFETY: `start_offset` returns at most its argument, so the bytes are between the guards, where the mapping is
        // readable and writable. The mapping lives until drop, or forever if abandoned.
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
