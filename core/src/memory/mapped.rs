//! Memory that the operating system maps.
#![allow(unsafe_code)]

use super::abandon_count::AbandonCount;
use super::{
    FullBarrier, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, UncheckedAccess,
    forward_unchecked_access,
};
use crate::{Error, Misuse, SystemError};
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;

/// A page-aligned memory mapping. Drop unmaps it, unless it is [abandoned](SharedMemory::abandon).
///
/// - [`anonymous`](Self::anonymous) is for a device in the same process, or one that pins the pages itself.
/// - [`shareable`](Self::shareable) is for a device in another process. That process maps the same [`file`](Self::file) with
///   [`attach`](Self::attach) or by its own means (vhost-user).
#[derive(Debug)]
pub struct MappedMemory {
    pub(super) raw: RawMemory,
    mapping: Mapping,
    file: Option<File>,
}

impl MappedMemory {
    /// Maps `length` zeroed bytes that no other process can access.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::Map`] if the operating system cannot map the memory.
    pub fn anonymous(length: usize) -> Result<Self, Error> {
        nonzero(length)?;
        let mapping = MmapOptions::new().len(length).map_anon().map_err(SystemError::Map)?;
        Ok(Self::over(MmapRaw::from(mapping), None))
    }

    /// Maps `length` zeroed bytes of a new file without a name, so that another process can map them too.
    ///
    /// On Linux the file is a memfd with seals against resizing: after a file has shrunk, an access causes a bus error. On
    /// other systems it is an unlinked temporary file.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::Map`] if the operating system cannot make or map the file.
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

    /// Maps a whole file that another process made. With this, a device maps memory of [`shareable`](Self::shareable).
    ///
    /// A process that can shrink the file can end this process by a bus error. So the file should have a seal against
    /// shrinking, as that of `shareable` has, or come from a trusted process.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if the file is empty; [`SystemError::Map`] if the operating system cannot map it.
    pub fn attach(file: File) -> Result<Self, Error> {
        let length = || usize::try_from(file.metadata()?.len()).map_err(io::Error::other);
        let length = length().map_err(SystemError::Map)?;
        nonzero(length)?;
        let mapping = MmapOptions::new().len(length).map_raw(&file).map_err(SystemError::Map)?;
        Ok(Self::over(mapping, Some(file)))
    }

    /// The mapped file, for passing it to another process. `None` for an anonymous mapping.
    pub const fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    fn over(mapping: MmapRaw, file: Option<File>) -> Self {
        let start = NonNull::new(mapping.as_mut_ptr()).expect("a mapping is never at address zero");
        // SAFETY: the mapping is readable and writable. It lives until drop, or forever if abandoned.
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

/// A mapping that is unmapped on drop, unless a device may access it.
#[derive(Debug)]
pub(super) struct Mapping {
    mapping: ManuallyDrop<MmapRaw>,
    abandon_count: AbandonCount,
    /// Prevents `Sync`: only [`ThreadShared`](super::ThreadShared) memory may be accessed by several threads at once.
    not_sync: PhantomData<Cell<()>>,
}

impl Mapping {
    pub(super) const fn new(mapping: MmapRaw) -> Self {
        Self {
            mapping: ManuallyDrop::new(mapping),
            abandon_count: AbandonCount::new(),
            not_sync: PhantomData,
        }
    }

    pub(super) fn abandon(&self) {
        self.abandon_count.add();
    }

    pub(super) fn reclaim(&self) {
        self.abandon_count.remove();
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if !self.abandon_count.is_abandoned() {
            // SAFETY: the owner is being dropped, so nothing uses the mapping afterwards.
            unsafe { ManuallyDrop::drop(&mut self.mapping) }
        }
    }
}
