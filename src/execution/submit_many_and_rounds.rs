//! Executes the steps that do much at once. Each is short for a sequence of other steps.

use super::{Listener, Rig, Skip, Stop};
use crate::scenario::{Buffers, Step};

/// How often the steps of one scenario repeat what they do, at most: as often as two of the longest steps. So no scenario
/// takes longer than about a second, not even one from a fuzzer.
pub(super) const MAX_REPETITIONS: u32 = 2 * Step::MAX_ROUNDS;

impl Rig {
    /// Whether a step may repeat what it does once more.
    fn may_repeat(&mut self) -> bool {
        let left = self.run.repetitions_left.checked_sub(1);
        self.run.repetitions_left = left.unwrap_or(0);
        left.is_some()
    }

    /// The caller submits and publishes up to `times` equal chains, until the queue refuses one.
    pub(super) fn submit_many(
        &mut self,
        readable: Buffers,
        writable: Buffers,
        times: u16,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        for _ in 0..times {
            let skip = self.submit(readable, writable, false, true, listener)?;
            if skip.is_some() {
                return Ok(skip);
            }
            if self.run.refused_to_submit || !self.may_repeat() {
                break;
            }
        }
        Ok(None)
    }

    /// Makes up to `count` [round trips](Step::ROUND_TRIP), until the queue refuses a chain or the device returns none.
    pub(super) fn round_trips(
        &mut self,
        count: u32,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let [submit, others @ ..] = &Step::ROUND_TRIP;
        for _ in 0..count {
            let skip = self.execute_step(submit, listener)?;
            if skip.is_some() {
                return Ok(skip);
            }
            if self.run.refused_to_submit {
                break;
            }
            let mut returned = true;
            for step in others {
                let skip = self.execute_step(step, listener)?;
                returned &= skip.is_none() || !matches!(step, Step::DeviceReturn { .. });
            }
            if !returned || !self.may_repeat() {
                break;
            }
        }
        Ok(None)
    }
}
