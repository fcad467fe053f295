//! Withdraws a chain that is not published.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use crate::scenario::Pick;
use ringstorm_model::Event;

impl Rig {
    pub(super) fn withdraw_unpublished(
        &mut self,
        pick: Pick,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        if !self.run.can.withdraw {
            return Ok(Some(Skip::Incapable("withdraw")));
        }
        let unpublished = self.sink.model.unpublished();
        let Some(position) = pick.of(unpublished.len()) else { return Ok(Some(Skip::NothingThere)) };
        self.withdraw(unpublished[position], listener)?;
        Ok(None)
    }

    pub(super) fn withdraw(&mut self, head: u16, listener: &mut impl Listener) -> Result<(), Stop> {
        let name = self.run.name_of(head);
        let answer = self.call(Call::Withdraw, |subject| subject.withdraw(name));
        self.sink.emit(&Event::Withdraw { head, answer }, listener)?;
        self.run.effective = true;
        self.run.faults.attribute_call(Call::Withdraw, answer.err());
        self.observe_call(listener)
    }
}
