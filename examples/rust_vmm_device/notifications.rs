//! Computes, by counting, whether the driver wants a used-buffer notification (2.7.7), to check the answer of a device.

use ringstorm_model::Event;

/// The used index and `used_event`, as observed in the events.
#[derive(Default)]
pub struct NotificationCounter {
    published: u16,
    /// The last `used_event`. `None` before the first one, and without event indexes.
    event: Option<u16>,
}

impl NotificationCounter {
    /// Starts an execution at this ring index.
    pub fn begin(&mut self, first_index: u16) {
        *self = Self { published: first_index, event: None };
    }

    /// Observes an event. If the device moved the used index, and with event indexes, returns whether the driver wants a
    /// notification.
    pub fn observe(&mut self, event: &Event<'_>) -> Option<bool> {
        match *event {
            Event::UsedEvent { index } => self.event = Some(index),
            Event::UsedNotifications { used_event, .. } if self.event.is_some() => {
                self.event = Some(used_event)
            }
            Event::Reset { first_index } => self.published = first_index,
            Event::UsedIndex { index } => {
                let from = std::mem::replace(&mut self.published, index);
                let event = self.event?;
                return Some((0..index.wrapping_sub(from)).any(|step| from.wrapping_add(step) == event));
            }
            _ => {}
        }
        None
    }
}
