//! Memory from the operating system.
#![allow(unsafe_code)]

use super::holds::Holds;
use super::{Fixed, FullBarrier, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, pass_on};
use crate::{Error, Misuse, SystemError};
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;

/// A memory mapping: zeroed, page-aligned, unmapped on drop.
///
/// [`anonymous`](Self::anonymous) for a device in the same process or one that pins the pages itself;
/// [`shareable`](Self::shareable) for a device in another process, which maps the same [`file`](Self::file)
/// with [`attach`](Self::attach) or by its own means (vhost-user).
#[derive(Debug)]
pub struct MappedMemory {
    pub(super) raw: RawMemory,
    mapping: Mapping,
    file: Option<File>,
}

impl MappedMemory {
    /// Maps `length` bytes that only this process sees.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::Map`] if the system refuses, for instance for lack of
    /// memory.
    pub fn anonymous(length: usize) -> Result<Self, Error> {
        nonzero(length)?;
        let mapping = MmapOptions::new().len(length).map_anon().map_err(SystemError::Map)?;
        Ok(Self::over(MmapRaw::from(mapping), None))
    }

    /// Maps `length` bytes of a new, nameless file, so that another process can map them too.
    ///
    /// On Linux the file is a memfd, sealed so that nobody can resize it: a shrunk file would turn an access
    /// into a bus error. Elsewhere it is an unlinked temporary file.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::Map`] if the system refuses.
    pub fn shareable(length: usize) -> Result<Self, Error> {
        nonzero(length)?;
        let map = || {
            let file = nameless_file(length as u64)?;
            let mapping = MmapOptions::new().len(length).map_raw(&file)?;
            Ok((mapping, file))
        };
        let (mapping, file) = map().map_err(SystemError::Map)?;
        Ok(Self::over(mapping, Some(file)))
    }

    /// Maps the whole of a file that another process made: how a device gets at a shareable mapping.
    ///
    /// Whoever can shrink the file can end this process by a bus error, so the file should be sealed against it, as
    /// that of [`shareable`](Self::shareable) is, or belong to somebody who is trusted that far.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if the file is empty; [`SystemError::Map`] if the system refuses.
    pub fn attach(file: File) -> Result<Self, Error> {
        let length = || usize::try_from(file.metadata()?.len()).map_err(io::Error::other);
        let length = length().map_err(SystemError::Map)?;
        nonzero(length)?;
        let mapping = MmapOptions::new().len(length).map_raw(&file).map_err(SystemError::Map)?;
        Ok(Self::over(mapping, Some(file)))
    }

    /// The file behind a shareable mapping, to be passed to the other process.
    pub const fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    fn over(mapping: MmapRaw, file: Option<File>) -> Self {
        let start = NonNull::new(mapping.as_mut_ptr()).expect("a mapping is never at address zero");
        // SAFETY: the mapping is kept until drop, or for ever if abandoned, and is read and write.
        let raw = unsafe { RawMemory::new(start, mapping.len()) };
        Self { raw, mapping: Mapping::new(mapping), file }
    }
}

pub(super) const fn nonzero(length: usize) -> Result<(), Misuse> {
    if length == 0 { Err(Misuse::MemoryEmpty) } else { Ok(()) }
}

#[cfg(target_os = "linux")]
fn nameless_file(length: u64) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let file = File::from(memfd_create("ringstorm", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.set_len(length)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn nameless_file(length: u64) -> io::Result<File> {
    let file = tempfile::tempfile()?;
    file.set_len(length)?;
    Ok(file)
}

impl SharedMemory for MappedMemory {
    forward_accesses!(self => self.raw);

    fn abandon(&self) {
        self.mapping.abandon();
    }

    fn reclaim(&self) {
        self.mapping.reclaim();
    }
}

/// Unmaps on drop, unless a device may access it.
#[derive(Debug)]
pub(super) struct Mapping {
    mapping: ManuallyDrop<MmapRaw>,
    holds: Holds,
    /// Only [`ThreadShared`](super::ThreadShared) memory is for several threads at once.
    not_sync: PhantomData<Cell<()>>,
}

impl Mapping {
    pub(super) const fn new(mapping: MmapRaw) -> Self {
        Self { mapping: ManuallyDrop::new(mapping), holds: Holds::new(), not_sync: PhantomData }
    }

    pub(super) fn abandon(&self) {
        self.holds.add();
    }

    pub(super) fn reclaim(&self) {
        self.holds.remove();
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if !self.holds.any() {
            // SAFETY: nobody uses the mapping after this: its owner is being dropped.
            unsafe { ManuallyDrop::drop(&mut self.mapping) }
        }
    }
}
