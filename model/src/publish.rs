//! Checks the answer of `publish`: whether the device must be notified (2.7.10).
//!
//! The answer is a consequence of what the call published. So the model first judges the available index and the new entries,
//! which follow the call, and then the answer.

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::publish_answer::PublishAnswer;
use crate::wording::chains_were;

impl Model {
    /// Keeps the answer until the available index and its entries are judged.
    pub(crate) fn publish(&mut self, notify: bool) {
        self.stores_allowed = u32::MAX;
        let (first, waiting) = (self.publish_due, std::mem::take(&mut self.submitted_since_publish));
        let event = self.setup.event_index.then_some(self.available_event);
        if !self.broken {
            self.publish_due = first.wrapping_add(waiting);
        }
        let wanted = match event {
            // The device asks for an entry. It must be one of the new entries.
            Some(event) => event.wrapping_sub(first) < waiting,
            None => self.notifications_wanted && waiting > 0,
        };
        let added = self.added_since_notification.saturating_add(waiting.into());
        let earlier_wanted = match event {
            Some(event) => u32::from(self.publish_due.wrapping_sub(event).wrapping_sub(1)) < added,
            None => added > 0,
        };
        if !self.broken {
            self.added_since_notification = if notify { 0 } else { added };
        }
        let broken = self.broken;
        self.published_silently = !notify && waiting > 0 && !broken;
        self.publish_answer =
            Some(PublishAnswer { notify, broken, first, waiting, wanted, event, earlier_wanted });
    }

    /// Judges the answer of the last `publish`, if it was not judged yet.
    #[inline(always)]
    pub(crate) fn judge_publish(&mut self) -> Result<(), Violation> {
        match self.publish_answer.take() {
            Some(answer) if answer.notify != answer.wanted || answer.broken => self.judge_answer(answer),
            _ => Ok(()),
        }
    }

    #[cold]
    fn judge_answer(&self, answer: PublishAnswer) -> Result<(), Violation> {
        let PublishAnswer { notify, broken, first, waiting, wanted, event, earlier_wanted } = answer;
        let exact = self.setup.exact_notifications;
        if broken {
            require!(
                !(notify && exact),
                Notified,
                "publish reports that the device must be notified, although the queue is broken and publishes nothing"
            );
            return Ok(());
        }
        let event = event.map_or(String::new(), |event| format!(" (avail_event is {event})"));
        require!(
            notify || !wanted,
            Notified,
            "{} published, from available index {first} on, and the device wants a notification{event}; publish reports that none is needed",
            chains_were(waiting)
        );
        require!(
            wanted || !(notify && exact),
            Notified,
            "{} published, from available index {first} on, and the device wants no notification{event}; publish reports that one is needed{}",
            chains_were(waiting),
            match earlier_wanted {
                true =>
                    ", perhaps because of an earlier chain of which it has not notified: that is allowed, but not to a queue that promises `exact`",
                false => "",
            }
        );
        Ok(())
    }
}
