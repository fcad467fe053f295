//! Reports the position of an execution to other threads or another process.

use super::fault_attribution::FaultAttribution;
use crate::outcome::{Call, FaultSet};
use ringstorm_core::{Error as MemoryError, MappedMemory, SharedMemory, SystemError};
use ringstorm_sim_device::Fault;
use std::fs::File;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words of the cell: the seed, the position in its scenario, whether a seed was started, and the faults so far.
const SEED: usize = 0;
const POSITION: usize = 1;
const BEGUN: usize = 2;
const FAULTS: usize = 3;
const WORDS: usize = 4;

/// A handle to memory in which a rig reports its position. A report is cheap enough for each call of the subject. In a
/// file, it survives the process that wrote it.
#[derive(Debug, Clone)]
pub(crate) struct ProgressCell(Storage);

#[derive(Debug, Clone)]
enum Storage {
    InProcess(Arc<[AtomicU64; WORDS]>),
    InFile(Rc<MappedMemory>),
}

/// Not inlined, since each call of a subject reports.
#[inline(never)]
fn store_in_file(memory: &MappedMemory, word: usize, value: u64) {
    memory.store_u64(8 * word, value);
}

/// A cell for other threads of this process.
#[derive(Debug, Default)]
pub(crate) struct SharedProgressCell(Arc<[AtomicU64; WORDS]>);

impl SharedProgressCell {
    /// Returns a handle for the calling thread.
    pub(crate) fn handle(&self) -> ProgressCell {
        ProgressCell(Storage::InProcess(Arc::clone(&self.0)))
    }
}

/// The position of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExecutionPosition {
    /// The seed that was started last; `None` if the rig is idle.
    pub seed: Option<u64>,
    /// Steps that the current execution has started; 0 without an execution.
    pub steps: u32,
    /// The current or last call of the current execution.
    pub call: Option<Call>,
    /// The last fault before that call.
    pub last_fault: Option<Fault>,
    /// All faults before that call.
    pub faults: FaultSet,
    /// Distinguishes calls of one kind within one step.
    serial: u16,
}

impl ProgressCell {
    /// Makes a cell in a file, for another process.
    ///
    /// # Errors
    /// [`MemoryError`] if the file cannot be written or mapped.
    pub(crate) fn in_file(mut file: File) -> Result<Self, MemoryError> {
        // Write the zeros instead of extending the file: without disk space, a store to the mapping would end the
        // process.
        if file.metadata().map_err(SystemError::Map)?.len() == 0 {
            file.write_all(&[0; 8 * WORDS]).map_err(SystemError::Map)?;
        }
        Ok(Self(Storage::InFile(Rc::new(MappedMemory::attach(file)?))))
    }

    /// Whether another process reads the cell.
    #[inline(always)]
    pub(super) const fn is_in_file(&self) -> bool {
        matches!(self.0, Storage::InFile(_))
    }

    #[inline(always)]
    fn store(&self, word: usize, value: u64) {
        match &self.0 {
            Storage::InProcess(words) => words[word].store(value, Ordering::Relaxed),
            Storage::InFile(memory) => store_in_file(memory, word, value),
        }
    }

    fn load(&self, word: usize) -> u64 {
        match &self.0 {
            Storage::InProcess(words) => words[word].load(Ordering::Relaxed),
            Storage::InFile(memory) => memory.load_u64(8 * word),
        }
    }

    /// Reports that the next scenario belongs to this seed.
    pub(crate) fn begin_seed(&self, seed: u64) {
        self.store(POSITION, 0);
        self.store(SEED, seed);
        self.store(BEGUN, 1);
    }

    /// Reports that the rig is idle.
    pub(crate) fn set_idle(&self) {
        self.store(POSITION, 0);
        self.store(BEGUN, 0);
    }

    /// Reports that a call of the subject begins.
    #[inline(always)]
    pub(super) fn begin_call(&self, call: Call, steps: u64, faults: &FaultAttribution, serial: u16) {
        let fault = u64::from(faults.last_fault_code);
        let position = steps & 0xffff_ffff | (call as u64 + 1) << 32 | fault << 40 | u64::from(serial) << 48;
        self.store(FAULTS, faults.faults.bits());
        self.store(POSITION, position);
    }

    /// Reports that the execution is over. There is no report at the end of each call: little time passes between
    /// calls.
    pub(super) fn end_execution(&self) {
        self.store(POSITION, 0);
    }

    /// The last reported position.
    pub(crate) fn position(&self) -> ExecutionPosition {
        let position = self.load(POSITION);
        ExecutionPosition {
            seed: (self.load(BEGUN) != 0).then(|| self.load(SEED)),
            steps: position as u32,
            call: ((position >> 32) as u8).checked_sub(1).and_then(Call::from_repr),
            last_fault: ((position >> 40) as u8).checked_sub(1).and_then(Fault::from_repr),
            faults: FaultSet::from_bits(self.load(FAULTS)),
            serial: (position >> 48) as u16,
        }
    }
}
