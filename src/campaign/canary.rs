//! A queue with a known defect that every campaign must catch before its silence means anything.

use crate::executor::{Executor, Failure};
use crate::scenario::{Draw, Profile};
use crate::subject::{Defect, SubjectKind};
use serde::{Deserialize, Serialize};

/// Seeds that are tried. Each canary is caught by the first few of any kind of scenarios.
const SEEDS: u64 = 2_000;
/// Seeds that are run at once.
const BLOCK: u64 = 16;
/// A scenario this short seldom gets from a submission to a fault and what comes of it.
const SHORT: usize = 24;

/// The canary of a campaign, caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Canary {
    /// The specimen.
    pub subject: String,
    /// Seeds until it was caught.
    pub seeds: u64,
    /// The signature of the catch.
    pub signature: String,
}

/// The canary lives: whatever this storm finds or does not find means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{subject} was not caught by {seeds} seeds from {from} on: this storm does not see a broken queue, and what it says of others means nothing"
)]
pub struct CanaryMissed {
    subject: String,
    from: u64,
    seeds: u64,
}

/// The canary for these scenarios: where faults are to be expected, a driver that believes an id; else one that
/// is wrong whatever the device does.
pub fn canary(draw: &Draw) -> SubjectKind {
    let faults = draw.profile != Profile::Honest && draw.steps >= SHORT;
    SubjectKind::Specimen(Some(if faults { Defect::IdFolded } else { Defect::AddressWithoutBase }))
}

impl Canary {
    /// Looks whether a subject that is known to be wrong is caught by these scenarios.
    ///
    /// # Errors
    /// [`Failure`] if a scenario cannot be run; [`CanaryMissed`] if nothing is caught.
    pub fn catch(
        executor: &mut dyn Executor,
        kind: SubjectKind,
        draw: &Draw,
        from: u64,
    ) -> Result<Result<Self, CanaryMissed>, Failure> {
        let subject = kind.name();
        for done in (0..SEEDS).step_by(BLOCK as usize) {
            let block = executor.run_seeds(kind, draw, from.wrapping_add(done), BLOCK)?;
            if let Some((seed, outcome)) = block.findings.first() {
                let signature = outcome.signature(&subject).to_string();
                return Ok(Ok(Self { subject, seeds: seed.wrapping_sub(from) + 1, signature }));
            }
        }
        Ok(Err(CanaryMissed { subject, from, seeds: SEEDS }))
    }
}
