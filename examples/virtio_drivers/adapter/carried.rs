//! Advances the ring indexes of a queue, which always begin at 0: a device that only returns chains carries chains through it.

use super::any_queue::AnyQueue;
use super::platform::Area;
use ringstorm::subject::Geometry;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// Carries `count` chains through the queue, one at a time. Afterwards the used ring is zero except for its index.
pub fn carry(queue: &mut dyn AnyQueue, place: &Geometry, rings: Area, count: u16) {
    let at = |offset: usize| rings.start.wrapping_add(place.used + offset);
    let byte = [0_u8; 1];
    let store = |offset: usize, value: u32| {
        // SAFETY: an element of the used ring, aligned to four bytes, in the rings' memory. No call of the queue is in progress,
        // so it has no reference to it.
        unsafe { AtomicU32::from_ptr(at(offset).cast()) }.store(value, Ordering::Relaxed);
    };
    for index in 0..count {
        let element = 4 + 8 * usize::from(index % place.size);
        // SAFETY: the byte lives until the chain is popped below.
        let token = unsafe { queue.add(&[&byte], &mut []) }.expect("the queue is empty");
        store(element, token.into());
        // SAFETY: the used index, aligned to two bytes; otherwise as above.
        unsafe { AtomicU16::from_ptr(at(2).cast()) }.store(index.wrapping_add(1), Ordering::Release);
        // SAFETY: this is the buffer for which the queue returned this token.
        unsafe { queue.pop_used(token, &[&byte], &mut []) }.expect("it was returned");
    }
    (0..usize::from(place.size)).for_each(|slot| store(4 + 8 * slot, 0));
}
