//! A hash over many scenarios.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A hash over the trace hashes of scenarios, in the order of their seeds. The hashes of neighbouring parts make that of
/// the whole, so a sweep comes to the same in one piece and in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SweepHash(u64);

impl SweepHash {
    /// Odd, so that nothing is lost by multiplying.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The hash with this number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Takes in the trace of the next scenario.
    pub const fn push(&mut self, trace: u64) {
        self.append(Self(trace), 1);
    }

    /// Takes in the hash of the scenarios that come next, so many.
    pub const fn append(&mut self, next: Self, scenarios: u64) {
        let (mut shift, mut factor, mut left) = (1_u64, Self::FACTOR, scenarios);
        while left > 0 {
            if left & 1 == 1 {
                shift = shift.wrapping_mul(factor);
            }
            factor = factor.wrapping_mul(factor);
            left >>= 1;
        }
        self.0 = self.0.wrapping_mul(shift).wrapping_add(next.0);
    }
}

impl fmt::Display for SweepHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}
