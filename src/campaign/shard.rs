//! Splits the seeds of a run.

use std::fmt;
use std::str::FromStr;

/// One of several parts of a run's seeds. The lengths of the parts differ by at most one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// The number of this part, from 1.
    pub number: u64,
    /// The number of parts.
    pub of: u64,
}

impl Shard {
    /// The maximal number of parts.
    pub const MAX: u64 = 65_536;
    /// The whole run.
    pub(crate) const WHOLE: Self = Self { number: 1, of: 1 };

    /// The start and the length of this shard's part of `count` seeds.
    pub(crate) fn range_of(self, count: u64) -> (u64, u64) {
        let at = |number: u64| (u128::from(count) * u128::from(number) / u128::from(self.of)) as u64;
        let start = at(self.number - 1);
        (start, at(self.number) - start)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let (number, of) = text.split_once('/').ok_or(InvalidShard)?;
        let (number, of) = (number.parse().map_err(|_| InvalidShard)?, of.parse().map_err(|_| InvalidShard)?);
        if (1..=of).contains(&number) && of <= Self::MAX {
            Ok(Self { number, of })
        } else {
            Err(InvalidShard)
        }
    }
}

/// A text that is not a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected K/N with K from 1 to N, and N at most {}", Shard::MAX)]
pub struct InvalidShard;
