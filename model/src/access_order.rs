//! Checks the order of accesses to shared memory. Driver and device may run on different processors, so both the order in the
//! program and the barriers matter.

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wish::Wish;

/// A wrong order of a call's accesses to shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFlaw {
    /// `publish` reported that no notification is needed, but it has not loaded the device's flags or `avail_event` since it
    /// stored the available index (2.7.13.4.1).
    WishNotLoaded,
    /// The same, but it has loaded them, and executed no full barrier in between.
    WishWithoutBarrier,
    /// The call found no used element, but it has not loaded the used index since it requested notifications, by another
    /// `used_event` or by its flags (2.7.14).
    UsedIndexNotLoaded,
    /// The same, but it has loaded the index, and executed no full barrier in between.
    UsedIndexWithoutBarrier,
    /// The available index was stored neither with release ordering nor after a barrier that follows the entries (2.7.13.3.1).
    IndexWithoutRelease,
    /// A used element was loaded, but the used index before it neither with acquire ordering nor followed by a barrier (2.7.14).
    ElementWithoutAcquire,
}

impl OrderFlaw {
    /// What happened, what was expected, and what can go wrong.
    const fn text(self) -> &'static str {
        match self {
            Self::WishNotLoaded => {
                "publish reports that no notification is needed, but the driver has not loaded the device's flags or avail_event since it stored the available index; expected the load after the store, or a device that asks in between is never notified"
            }
            Self::WishWithoutBarrier => {
                "publish reports that no notification is needed, but between the store of the available index and the load of the device's flags or avail_event is no full barrier; without it, a processor may load first, and a device that asks in between is never notified"
            }
            Self::UsedIndexNotLoaded => {
                "the driver found no used element, but it has not loaded the used index since it requested notifications (used_event or flags); expected the load after the request, or an element that the device adds in between is neither seen nor notified"
            }
            Self::UsedIndexWithoutBarrier => {
                "the driver found no used element, but between its request for notifications (used_event or flags) and the load of the used index is no full barrier; without it, a processor may load first, and an element that the device adds in between is neither seen nor notified"
            }
            Self::IndexWithoutRelease => {
                "the driver stored the available index after other stores, but neither with release ordering nor after a barrier; without one, the device may see the index before the entries and descriptors"
            }
            Self::ElementWithoutAcquire => {
                "the driver loaded a used element after the used index, but it loaded the index without acquire ordering, and there is no barrier in between; without one, a processor may load the element before the device has written it"
            }
        }
    }
}

impl Model {
    pub(crate) fn access_order(&self, flaw: OrderFlaw) -> Result<(), Violation> {
        let right = match flaw {
            OrderFlaw::WishNotLoaded | OrderFlaw::WishWithoutBarrier => !self.published_silently,
            // Without notifications, nothing is missed. After faults of the device, the driver may have looked at other elements.
            OrderFlaw::UsedIndexNotLoaded | OrderFlaw::UsedIndexWithoutBarrier => {
                matches!(self.wish, Wish::Unwanted | Wish::Unknown)
                    || self.may_be_elsewhere()
                    || self.used_index_went_back
                    || self.broken
            }
            OrderFlaw::IndexWithoutRelease | OrderFlaw::ElementWithoutAcquire => false,
        };
        require!(right || self.state_unknown, AccessOrder, "{}", flaw.text());
        Ok(())
    }
}
