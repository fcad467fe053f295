//! Coverage: which faults were committed in which driver states.

use ringstorm_model::{DriverState, Occupancy};
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::VariantArray;

/// The coverage cells (driver state and fault) that were reached: the fault changed at least one byte, or withheld something,
/// in that state, and the driver then made a call that could encounter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// By state: one bit for each fault.
    hit: [u64; DriverState::COUNT],
}

/// Each fault has a bit.
const _: () = assert!(Fault::VARIANTS.len() <= 64);

impl Coverage {
    /// Marks a cell as reached.
    pub const fn reach(&mut self, state: usize, fault: Fault) {
        self.hit[state] |= 1 << fault as u64;
    }

    /// Whether a cell was reached.
    pub const fn has(&self, state: DriverState, fault: Fault) -> bool {
        self.hit[state.number()] & 1 << fault as u64 != 0
    }

    /// Adds the cells that another execution reached.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.hit.iter_mut().zip(&other.hit) {
            *mine |= theirs;
        }
    }

    /// The number of reachable cells that were reached.
    pub fn pairs_hit(&self) -> u32 {
        reachable_pairs().filter(|(state, fault)| self.has(*state, *fault)).count() as u32
    }

    /// The reachable cells that were not reached.
    pub fn missed(&self) -> impl Iterator<Item = (DriverState, Fault)> + '_ {
        reachable_pairs().filter(|(state, fault)| !self.has(*state, *fault))
    }

    /// The number of reachable cells.
    pub fn pairs_total() -> u32 {
        reachable_pairs().count() as u32
    }
}

/// The whole table as text: a line for each fault, a column for each state.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states: Vec<DriverState> = (0..DriverState::COUNT).map(DriverState::from_number).collect();
        writeln!(f, "coverage cells: a row for each fault, a column for each driver state")?;
        writeln!(f, "x reached, . not reached, - cannot be reached")?;
        writeln!(
            f,
            "E empty, P partly full, F full; f fragmented, w ring index at the 16-bit wrap, b broken\n"
        )?;
        writeln!(
            f,
            "{:<28}{}",
            "",
            states.iter().map(|state| format!("{:<5}", code(*state))).collect::<String>()
        )?;
        for fault in Fault::VARIANTS {
            let marks = states.iter().map(|state| match self.has(*state, *fault) {
                true => "x    ",
                false if unreachable_because(*state, *fault).is_some() => "-    ",
                false => ".    ",
            });
            writeln!(f, "{}", format!("{:<28}{}", fault.name(), marks.collect::<String>()).trim_end())?;
        }
        Ok(())
    }
}

/// A state in a few letters.
fn code(state: DriverState) -> String {
    let occupancy = match state.occupancy {
        Occupancy::Empty => 'E',
        Occupancy::Partly => 'P',
        Occupancy::Full => 'F',
    };
    let more = [(state.fragmented, 'f'), (state.at_wrap, 'w'), (state.broken, 'b')];
    [occupancy].into_iter().chain(more.into_iter().filter_map(|(is, letter)| is.then_some(letter))).collect()
}

/// By coverage cell: how many executions reached it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct ReachCounts(Vec<u64>);

impl Default for ReachCounts {
    fn default() -> Self {
        Self(vec![0; DriverState::COUNT * Fault::VARIANTS.len()])
    }
}

impl ReachCounts {
    const fn place(state: usize, fault: Fault) -> usize {
        state * Fault::VARIANTS.len() + fault as usize
    }

    /// Counts one more execution.
    pub fn count(&mut self, coverage: &Coverage) {
        for (hit, counts) in coverage.hit.iter().zip(self.0.chunks_exact_mut(Fault::VARIANTS.len())) {
            let mut left = *hit;
            while left != 0 {
                counts[left.trailing_zeros() as usize] += 1;
                left &= left - 1;
            }
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// How many executions reached a cell.
    pub fn of(&self, state: DriverState, fault: Fault) -> u64 {
        self.0[Self::place(state.number(), fault)]
    }

    /// Sets how many executions reached a cell.
    pub fn set(&mut self, state: DriverState, fault: Fault, executions: u64) {
        self.0[Self::place(state.number(), fault)] = executions;
    }

    /// The cells that at least one execution reached.
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for (state, fault) in reachable_pairs().filter(|(state, fault)| self.of(*state, *fault) > 0) {
            coverage.reach(state.number(), fault);
        }
        coverage
    }
}

impl From<ReachCounts> for Vec<u64> {
    fn from(reach_counts: ReachCounts) -> Self {
        reach_counts.0
    }
}

impl TryFrom<Vec<u64>> for ReachCounts {
    type Error = String;

    fn try_from(counts: Vec<u64>) -> Result<Self, String> {
        let expected = Self::default().0.len();
        if counts.len() == expected { Ok(Self(counts)) } else { Err(format!("expected {expected} counts")) }
    }
}

/// All cells that can be reached.
pub fn reachable_pairs() -> impl Iterator<Item = (DriverState, Fault)> {
    (0..DriverState::COUNT)
        .map(DriverState::from_number)
        .flat_map(|state| Fault::VARIANTS.iter().map(move |fault| (state, *fault)))
        .filter(|(state, fault)| unreachable_because(*state, *fault).is_none())
}

/// A cell as text.
pub(crate) fn pair_name((state, fault): (DriverState, Fault)) -> String {
    format!("{state} x {}", fault.name())
}

/// Why a cell cannot be reached; `None` if it can.
pub fn unreachable_because(state: DriverState, _: Fault) -> Option<&'static str> {
    (state.occupancy == Occupancy::Empty && state.fragmented).then_some(
        "a queue without live chains is not fragmented: its chains are counted since it was last empty",
    )
}
