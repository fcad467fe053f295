//! Where a queue that begins at index 0 is after a while: as many chains are carried through it, by a device that does nothing
//! but return them.

use super::any_queue::AnyQueue;
use super::platform::Area;
use ringstorm::subject::Geometry;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// Carries `count` chains through, one at a time, and leaves a used ring that is zero but for its index.
pub fn carry(queue: &mut dyn AnyQueue, place: &Geometry, rings: Area, count: u16) {
    let at = |offset: usize| rings.start.wrapping_add(place.used + offset);
    let byte = [0_u8; 1];
    let store = |offset: usize, value: u32| {
        // SAFETY: an element of the used ring, four bytes at a multiple of four in the rings' memory; the queue, which is not
        // called now, has no reference to it.
        unsafe { AtomicU32::from_ptr(at(offset).cast()) }.store(value, Ordering::Relaxed);
    };
    for index in 0..count {
        let element = 4 + 8 * usize::from(index % place.size);
        // SAFETY: the byte lives until the chain is popped, in this very turn.
        let token = unsafe { queue.add(&[&byte], &mut []) }.expect("the queue is empty");
        store(element, token.into());
        // SAFETY: the used index, two bytes at a multiple of two; as above.
        unsafe { AtomicU16::from_ptr(at(2).cast()) }.store(index.wrapping_add(1), Ordering::Release);
        // SAFETY: the buffer that was added when the queue answered with this token.
        unsafe { queue.pop_used(token, &[&byte], &mut []) }.expect("it was returned");
    }
    (0..usize::from(place.size)).for_each(|slot| store(4 + 8 * slot, 0));
}
