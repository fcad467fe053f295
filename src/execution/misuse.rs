//! Calls the driver with heads that its caller must not use.

use super::{Listener, Rig, Skip, Stop};
use crate::scenario::{Amount, BadHead, HeadCall, Pick};
use ringstorm_model::HandleAge;

impl Rig {
    /// Calls the driver with a head that its caller must not use.
    pub(super) fn misuse(
        &mut self,
        call: HeadCall,
        bad: BadHead,
        pick: Pick,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let can = self.run.can;
        let needed = [
            ("misuse", can.misuse),
            ("free", can.free || call != HeadCall::Free),
            ("withdraw", can.withdraw || call != HeadCall::Withdraw),
            ("stale_handles", can.stale_handles || bad != BadHead::Stale),
        ];
        if let Some((lacking, _)) = needed.into_iter().find(|(_, has)| !has) {
            return Ok(Some(Skip::Incapable(lacking)));
        }
        let Some(head) = self.find_bad_head(bad, pick) else { return Ok(Some(Skip::NothingThere)) };
        match (call, bad) {
            // Freeing and reading a taken chain is correct use.
            (HeadCall::Free | HeadCall::Read, BadHead::Returned) => return Ok(Some(Skip::NothingThere)),
            (HeadCall::Free, BadHead::Stale) => self.free(head, HandleAge::Stale, listener)?,
            (HeadCall::Free, _) => self.free(head, HandleAge::Current, listener)?,
            // `read` and `withdraw` take no handle of an earlier chain: the adapter looks the newest one up.
            (HeadCall::Read | HeadCall::Withdraw, BadHead::Stale) => return Ok(Some(Skip::NothingThere)),
            (HeadCall::Withdraw, _) => self.withdraw(head, listener)?,
            (HeadCall::Read, _) => self.read(head, Amount::Bytes(8), listener)?,
        }
        Ok(None)
    }

    /// Finds a head of the requested kind. Most kinds search up to 64 descriptors, starting from `pick`.
    fn find_bad_head(&mut self, bad: BadHead, pick: Pick) -> Option<u16> {
        let size = self.run.setup.queue_size.get();
        let run = &self.run;
        let model = &self.sink.model;
        let mut around = (0..size.min(64)).map(|step| (u16::from(pick.0) + step) & (size - 1));
        match bad {
            BadHead::OutOfRange => Some(size),
            BadHead::Far => Some(u16::MAX),
            BadHead::FreeDescriptor => around.find(|index| model.owner(*index).is_none()),
            BadHead::MidChain => around.find(|index| model.owner(*index).is_some_and(|head| head != *index)),
            BadHead::Stale => around.find(|index| {
                model.owner(*index) == Some(*index) && run.chains_started[usize::from(*index)] > 1
            }),
            BadHead::Returned => pick.of(run.taken.len()).map(|position| run.taken[position]),
            BadHead::InFlight => around.find(|index| model.is_in_flight(*index)),
        }
    }
}
