//! The kinds of faults that took effect in an execution.

use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// A set of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FaultSet(u64);

/// Each fault has a bit.
const _: () = assert!(Fault::VARIANTS.len() <= 64);

impl FaultSet {
    /// Adds a fault.
    pub const fn insert(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u64;
    }

    /// Whether the fault is in the set.
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u64 != 0
    }

    /// The faults in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::VARIANTS.iter().copied().filter(move |fault| self.contains(*fault))
    }

    /// The set as a number: one bit for each fault.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The set of a number that [`bits`](Self::bits) returned.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        let mut set = Self::default();
        faults.into_iter().for_each(|fault| set.insert(fault));
        set
    }
}
