//! Checks that the storm catches a queue with a known defect.

use crate::executor::{Executor, Failure};
use crate::scenario::{Draw, Profile};
use crate::subject::{Defect, SubjectKind};
use serde::{Deserialize, Serialize};

/// The limit of seeds. Every profile catches its canary within the first few seeds.
const SEEDS: u64 = 2_000;
/// Seeds in one block.
const BLOCK: u64 = 16;
/// A shorter scenario seldom contains a submission, a fault, and the driver's answer to it.
const SHORT: usize = 24;

/// The canary of a campaign, and how it was caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Canary {
    /// The specimen.
    pub subject: String,
    /// The number of seeds until it was caught.
    pub seeds: u64,
    /// The signature of the finding.
    pub signature: String,
}

/// The storm did not catch its canary, so it would miss other defects too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{subject} was not caught by {seeds} seeds from {from}: this storm misses a known defect, so its other results mean nothing"
)]
pub struct CanaryMissed {
    subject: String,
    from: u64,
    seeds: u64,
}

/// The canary for these scenarios: with faults, a driver that trusts the used id; else a driver that is wrong with any
/// device.
pub fn canary(draw: &Draw) -> SubjectKind {
    let faults = draw.profile != Profile::Honest && draw.steps >= SHORT;
    SubjectKind::Specimen(Some(if faults { Defect::IdFolded } else { Defect::AddressWithoutBase }))
}

impl Canary {
    /// Runs scenarios over a subject with a known defect until one is a finding.
    ///
    /// # Errors
    /// [`Failure`] if a scenario cannot be run; [`CanaryMissed`] if no seed catches the defect.
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
