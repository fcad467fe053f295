//! Naming chains that must not be named.

use super::{Listener, Rig, Skip, Stop};
use crate::scenario::{Amount, BadHead, HeadCall, Pick};
use ringstorm_model::Name;

impl Rig {
    /// Names a chain that must not be named.
    pub(super) fn misuse(
        &mut self,
        call: HeadCall,
        bad: BadHead,
        pick: Pick,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let can = self.run.can;
        let unasked = call == HeadCall::Free && !can.free || bad == BadHead::Stale && !can.stale_names;
        if !can.misuse || unasked {
            return Ok(Some(Skip::Incapable));
        }
        let Some(head) = self.bad_head(bad, pick) else { return Ok(Some(Skip::NothingThere)) };
        match (call, bad) {
            (HeadCall::Free, BadHead::Stale) => self.free(head, Name::Stale, listener)?,
            (HeadCall::Free, _) => self.free(head, Name::Current, listener)?,
            // Reading has no stale names: what is read is looked up by the newest.
            (HeadCall::Read, BadHead::Stale) => return Ok(Some(Skip::NothingThere)),
            (HeadCall::Read, _) => self.read(head, Amount::Bytes(8), listener)?,
        }
        Ok(None)
    }

    /// A head that must not be named, of the kind asked for, among the descriptors from `pick` on.
    fn bad_head(&mut self, bad: BadHead, pick: Pick) -> Option<u16> {
        let size = self.run.setup.queue_size.get();
        let run = &self.run;
        let model = &self.judge.model;
        let mut around = (0..size.min(64)).map(|step| (u16::from(pick.0) + step) & (size - 1));
        match bad {
            BadHead::OutOfRange => Some(size),
            BadHead::Far => Some(u16::MAX),
            BadHead::FreeDescriptor => around.find(|index| model.owner(*index).is_none()),
            BadHead::MidChain => around.find(|index| model.owner(*index).is_some_and(|head| head != *index)),
            BadHead::Stale => {
                around.find(|index| model.owner(*index) == Some(*index) && run.lives[usize::from(*index)] > 1)
            }
            BadHead::InFlight => around.find(|index| model.is_in_flight(*index)),
        }
    }
}
