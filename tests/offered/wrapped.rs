//! A sound queue with one call replaced.

use crate::queue::SoundQueue;
use crate::variant::Variant;
use ringstorm::scenario::Setup;
use ringstorm::subject::{Answer, Completion, Geometry, HandleAge, Provided, Subject};

/// What a wrong queue does instead.
pub trait Wrong: Sized + 'static {
    /// Takes a chain back.
    fn take_back(queue: &mut Wrapped<Self>, stopped: bool) -> Option<u16> {
        queue.sound.take_back(stopped)
    }

    /// Handles a notification.
    fn used_notification_arrived(queue: &mut Wrapped<Self>) -> Option<bool> {
        queue.sound.used_notification_arrived()
    }

    /// Takes a chain.
    fn take(queue: &mut Wrapped<Self>) -> Answer<Option<Completion>> {
        queue.sound.take()
    }

    /// Delays notifications.
    fn delay_used_notifications(queue: &mut Wrapped<Self>) -> Option<bool> {
        queue.sound.delay_used_notifications()
    }
}

pub struct Wrapped<W> {
    pub sound: SoundQueue,
    pub provided: Provided,
    pub wrong: W,
    /// The index of the next used element, if the device is honest.
    pub next: u16,
}

impl<W: Wrong> Wrapped<W> {
    pub fn build(variant: Variant, wrong: W, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        let sound = SoundQueue::new(variant, setup, provided);
        Box::new(Self { sound, provided: provided.clone(), wrong, next: setup.first_index.get() })
    }
}

impl<W: Wrong> Subject for Wrapped<W> {
    fn geometry(&self) -> Geometry {
        self.sound.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        self.sound.submit(readable, writable)
    }

    fn publish(&mut self) -> bool {
        self.sound.publish()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        let answer = W::take(self);
        self.next = self.next.wrapping_add(u16::from(matches!(answer, Ok(Some(_)))));
        answer
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.sound.read(head, out)
    }

    fn free(&mut self, head: u16, age: HandleAge) -> Answer<()> {
        self.sound.free(head, age)
    }

    fn free_count(&self) -> u32 {
        self.sound.free_count()
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.sound.set_used_notifications(wanted)
    }

    fn reset(&mut self, first_index: u16) {
        self.next = first_index;
        self.sound.reset(first_index);
    }

    fn take_back(&mut self, stopped: bool) -> Option<u16> {
        W::take_back(self, stopped)
    }

    fn delay_used_notifications(&mut self) -> Option<bool> {
        W::delay_used_notifications(self)
    }

    fn used_notification_arrived(&mut self) -> Option<bool> {
        W::used_notification_arrived(self)
    }

    fn release(self: Box<Self>) {
        Box::new(self.sound).release();
    }
}
