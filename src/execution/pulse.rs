//! Where an execution is, for whoever watches it from another thread or process.

use crate::outcome::Call;
use ringstorm_core::{AnyMemory, HeapMemory, MappedMemory, SharedMemory, SystemError};
use ringstorm_sim_device::Fault;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

/// In bytes: the seed, where its scenario is, and whether one was begun.
const SEED: usize = 0;
const PLACE: usize = 8;
const BEGUN: usize = 16;
const LENGTH: usize = 24;

/// A handle to memory in which a rig says where it is: cheap enough to be said with every call of the subject, and still
/// there when the process that said it is not.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<AnyMemory>);

/// Where an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
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

impl Pulse {
    /// For other threads of this process.
    ///
    /// # Errors
    /// [`SystemError`] if there is no memory.
    pub fn here() -> Result<Self, SystemError> {
        Ok(Self(Arc::new(HeapMemory::new(LENGTH)?.into())))
    }

    /// In a file, for another process.
    ///
    /// # Errors
    /// [`SystemError`] if the file cannot be written to or mapped.
    pub fn in_file(mut file: File) -> Result<Self, SystemError> {
        // Written, and not made long: what has no room on the disk would end the process when it is stored to.
        if file.metadata().map_err(SystemError::Map)?.len() == 0 {
            file.write_all(&[0; LENGTH]).map_err(SystemError::Map)?;
        }
        Ok(Self(Arc::new(MappedMemory::attach(file)?.into())))
    }

    /// The next scenario is that of this seed.
    pub fn begin(&self, seed: u64) {
        self.0.store_u64(PLACE, 0);
        self.0.store_u64(SEED, seed);
        self.0.store_u64(BEGUN, 1);
    }

    /// Nothing is begun.
    pub fn rest(&self) {
        self.0.store_u64(PLACE, 0);
        self.0.store_u64(BEGUN, 0);
    }

    /// A call of the subject begins.
    #[inline(always)]
    pub(super) fn enter(&self, call: Call, steps: u64, last_fault: Option<Fault>, serial: u16) {
        let fault = last_fault.map_or(0, |fault| fault as u64 + 1);
        let place = steps & 0xffff_ffff | (call as u64 + 1) << 32 | fault << 40 | u64::from(serial) << 48;
        self.0.store_u64(PLACE, place);
    }

    /// The execution is over. (Between its calls little happens, so that one is as good as the last.)
    pub(super) fn leave(&self) {
        self.0.store_u64(PLACE, 0);
    }

    /// Where the execution is.
    pub fn place(&self) -> Place {
        let place = self.0.load_u64(PLACE);
        Place {
            seed: (self.0.load_u64(BEGUN) != 0).then(|| self.0.load_u64(SEED)),
            steps: place as u32,
            call: ((place >> 32) as u8).checked_sub(1).and_then(Call::from_repr),
            last_fault: ((place >> 40) as u8).checked_sub(1).and_then(Fault::from_repr),
            serial: (place >> 48) as u16,
        }
    }
}
