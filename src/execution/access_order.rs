//! Emits the accesses of the last call whose order is wrong. Without [`Capabilities::watched_barriers`], barriers are not
//! visible, and only the order within the program counts.
//!
//! [`Capabilities::watched_barriers`]: crate::subject::Capabilities::watched_barriers

use super::{Listener, Rig, Stop};
use ringstorm_model::{Event, OrderFlaw};
use ringstorm_sim_device::{StoreThenLoad, WeakAccess};

impl Rig {
    /// Checks a publish call that reported that no notification is needed: it must have loaded the device's wish after it stored
    /// the available index.
    pub(super) fn observe_decision(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let order = self.provided.rings.publication_order();
        self.observe_order(order, OrderFlaw::WishNotLoaded, OrderFlaw::WishWithoutBarrier, listener)
    }

    /// Checks a call that looks for used elements. If it found none, it must have loaded the used index after it requested
    /// notifications.
    pub(super) fn observe_look(
        &mut self,
        found_nothing: bool,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let order = self.provided.rings.take_request_order();
        if !found_nothing || !self.run.can.used_notifications {
            return Ok(());
        }
        self.observe_order(order, OrderFlaw::UsedIndexNotLoaded, OrderFlaw::UsedIndexWithoutBarrier, listener)
    }

    #[inline(always)]
    fn observe_order(
        &mut self,
        order: StoreThenLoad,
        not_loaded: OrderFlaw,
        no_barrier: OrderFlaw,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let can = &self.run.can;
        let flaw = match order {
            StoreThenLoad::InOrder => return Ok(()),
            // A broken queue neither publishes nor waits.
            _ if self.sink.model.is_broken() => return Ok(()),
            StoreThenLoad::NotLoaded if can.watched => not_loaded,
            StoreThenLoad::NoBarrier if can.watched && can.watched_barriers => no_barrier,
            StoreThenLoad::NotLoaded | StoreThenLoad::NoBarrier => return Ok(()),
        };
        self.emit_flaw(flaw, listener)
    }

    #[cold]
    fn emit_flaw(&mut self, flaw: OrderFlaw, listener: &mut impl Listener) -> Result<(), Stop> {
        self.sink.emit(&Event::AccessOrder { flaw }, listener)
    }

    /// Emits an access of the last call that lacks a release, an acquire or a barrier.
    #[cold]
    pub(super) fn observe_weak_access(
        &mut self,
        access: WeakAccess,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        if !self.run.can.watched_barriers {
            return Ok(());
        }
        let flaw = match access {
            WeakAccess::AvailableIndex => OrderFlaw::IndexWithoutRelease,
            WeakAccess::UsedElement => OrderFlaw::ElementWithoutAcquire,
        };
        self.sink.emit(&Event::AccessOrder { flaw }, listener)
    }
}
