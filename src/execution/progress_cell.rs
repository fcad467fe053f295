//! Where an execution is, for whoever watches it from another thread or process.

use crate::outcome::Call;
use ringstorm_core::{Error as MemoryError, MappedMemory, SharedMemory, SystemError};
use ringstorm_sim_device::Fault;
use std::fs::File;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// By word: the seed, where its scenario is, and whether one was begun.
const SEED: usize = 0;
const PLACE: usize = 1;
const BEGUN: usize = 2;
const WORDS: usize = 3;

/// A handle to memory in which a rig says where it is: cheap enough to be said with every call of the subject, and still
/// there when the process that said it is not.
#[derive(Debug, Clone)]
pub struct ProgressCell(Words);

#[derive(Debug, Clone)]
enum Words {
    Here(Arc<[AtomicU64; WORDS]>),
    InFile(Rc<MappedMemory>),
}

/// The same memory for other threads of this process.
#[derive(Debug, Default)]
pub struct SharedProgressCell(Arc<[AtomicU64; WORDS]>);

impl SharedProgressCell {
    /// A handle for the calling thread.
    pub fn handle(&self) -> ProgressCell {
        ProgressCell(Words::Here(Arc::clone(&self.0)))
    }
}

/// Where an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionPosition {
    /// The seed that was begun last, if one was since nothing was to be done.
    pub seed: Option<u64>,
    /// Steps that were begun, while an execution is going on.
    pub steps: u32,
    /// The call of the subject that is going on or was the last one of an execution that is going on.
    pub call: Option<Call>,
    /// The last fault before it.
    pub last_fault: Option<Fault>,
    /// Tells calls of one kind in one step from one another.
    serial: u16,
}

impl ProgressCell {
    /// In a file, for another process.
    ///
    /// # Errors
    /// [`MemoryError`] if the file cannot be written to or mapped.
    pub fn in_file(mut file: File) -> Result<Self, MemoryError> {
        // Written, and not made long: what has no room on the disk would end the process when it is stored to.
        if file.metadata().map_err(SystemError::Map)?.len() == 0 {
            file.write_all(&[0; 8 * WORDS]).map_err(SystemError::Map)?;
        }
        Ok(Self(Words::InFile(Rc::new(MappedMemory::attach(file)?))))
    }

    #[inline(always)]
    fn store(&self, word: usize, value: u64) {
        match &self.0 {
            Words::Here(words) => words[word].store(value, Ordering::Relaxed),
            Words::InFile(memory) => memory.store_u64(8 * word, value),
        }
    }

    fn load(&self, word: usize) -> u64 {
        match &self.0 {
            Words::Here(words) => words[word].load(Ordering::Relaxed),
            Words::InFile(memory) => memory.load_u64(8 * word),
        }
    }

    /// The next scenario is that of this seed.
    pub fn begin(&self, seed: u64) {
        self.store(PLACE, 0);
        self.store(SEED, seed);
        self.store(BEGUN, 1);
    }

    /// Nothing is begun.
    pub fn rest(&self) {
        self.store(PLACE, 0);
        self.store(BEGUN, 0);
    }

    /// A call of the subject begins.
    #[inline(always)]
    pub(super) fn enter(&self, call: Call, steps: u64, last_fault: Option<Fault>, serial: u16) {
        let fault = last_fault.map_or(0, |fault| fault as u64 + 1);
        let place = steps & 0xffff_ffff | (call as u64 + 1) << 32 | fault << 40 | u64::from(serial) << 48;
        self.store(PLACE, place);
    }

    /// The execution is over. (Between its calls little happens, so that one is as good as the last.)
    pub(super) fn leave(&self) {
        self.store(PLACE, 0);
    }

    /// Where the execution is.
    pub fn place(&self) -> ExecutionPosition {
        let place = self.load(PLACE);
        ExecutionPosition {
            seed: (self.load(BEGUN) != 0).then(|| self.load(SEED)),
            steps: place as u32,
            call: ((place >> 32) as u8).checked_sub(1).and_then(Call::from_repr),
            last_fault: ((place >> 40) as u8).checked_sub(1).and_then(Fault::from_repr),
            serial: (place >> 48) as u16,
        }
    }
}
