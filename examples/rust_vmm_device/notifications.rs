//! Whether the driver asked to be notified of what was returned (2.7.7), by counting: as a look at a device's answer.

use ringstorm_model::Event;

/// What is known of it from what was observed.
#[derive(Default)]
pub struct Counted {
    published: u16,
    /// The driver's event, once it has told one: with event indexes only.
    event: Option<u16>,
}

impl Counted {
    /// Begins anew, at a ring index.
    pub fn begin(&mut self, first_index: u16) {
        *self = Self { published: first_index, event: None };
    }

    /// Hears of an event. If the used index was moved, and there are event indexes, says whether the driver asked.
    pub fn hear(&mut self, event: &Event<'_>) -> Option<bool> {
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
