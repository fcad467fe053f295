//! The driver's state, as coverage counts it.

use std::fmt;

/// How many descriptors are in live chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occupancy {
    /// None.
    Empty,
    /// Some.
    Partly,
    /// All.
    Full,
}

/// The driver's state, as far as coverage distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DriverState {
    /// How many descriptors are in live chains.
    pub occupancy: Occupancy,
    /// Whether chains were freed in another order than they were submitted, since the queue was last empty.
    pub fragmented: bool,
    /// Whether a ring index is within four of its wrap at 2^16, before or after.
    pub at_wrap: bool,
    /// Whether the queue has reported that it is broken.
    pub broken: bool,
}

impl DriverState {
    /// The number of states.
    pub const COUNT: usize = 24;

    /// The number of this state, below [`COUNT`](Self::COUNT).
    pub const fn number(self) -> usize {
        self.occupancy as usize * 8
            + self.fragmented as usize * 4
            + self.at_wrap as usize * 2
            + self.broken as usize
    }

    /// The state with this number.
    pub const fn from_number(number: usize) -> Self {
        let occupancy = match number / 8 {
            0 => Occupancy::Empty,
            1 => Occupancy::Partly,
            _ => Occupancy::Full,
        };
        Self { occupancy, fragmented: number & 4 != 0, at_wrap: number & 2 != 0, broken: number & 1 != 0 }
    }
}

impl fmt::Display for DriverState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.occupancy {
            Occupancy::Empty => "empty",
            Occupancy::Partly => "partly",
            Occupancy::Full => "full",
        })?;
        for (is, word) in
            [(self.fragmented, " fragmented"), (self.at_wrap, " at-wrap"), (self.broken, " broken")]
        {
            f.write_str(if is { word } else { "" })?;
        }
        Ok(())
    }
}
