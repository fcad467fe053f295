//! A scenario for a smaller queue: its chains become shorter with the queue.

use crate::scenario::{Buffers, Scenario, Step};
use ringstorm_core::QueueSize;

/// The scenario with a queue of this size. The first variant leaves its chains as they are, the others shorten them.
pub(super) fn variants(scenario: &Scenario, size: QueueSize) -> Vec<Scenario> {
    let (new, old) = (u32::from(size.get()), u32::from(scenario.setup.queue_size.get()));
    let scaled = |count: u32| (u64::from(count) * u64::from(new)).div_ceil(u64::from(old)) as u32;
    let shapes: [&dyn Fn(u32, u32) -> (u32, u32); 5] = [
        &|readable, writable| (readable, writable),
        &|readable, writable| fitted(scaled(readable), scaled(writable), readable + writable <= old, new),
        &|readable, writable| (readable.min(new), writable.min(new - readable.min(new))),
        &|readable, writable| fitted(readable.min(1), writable.min(1), true, new),
        &|readable, writable| fitted(readable.min(1), writable.min(1), true, 1),
    ];
    let mut variants: Vec<Scenario> = Vec::new();
    for shape in shapes {
        let mut variant = scenario.clone();
        variant.setup.queue_size = size;
        variant.steps.iter_mut().for_each(|step| reshape(step, shape));
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

/// These numbers of buffers. If they `must_fit`, at most `size` of them.
fn fitted(readable: u32, writable: u32, must_fit: bool, size: u32) -> (u32, u32) {
    match must_fit && readable + writable > size {
        true if writable > 0 => (readable.min(size - 1), size - readable.min(size - 1)),
        true => (size, 0),
        false => (readable, writable),
    }
}

/// Changes the numbers of buffers of a chain.
fn reshape(step: &mut Step, shape: &dyn Fn(u32, u32) -> (u32, u32)) {
    if let Step::Submit { readable, writable }
    | Step::Prepare { readable, writable }
    | Step::Write { readable, writable } = step
    {
        let counts = shape(readable.count, writable.count);
        (*readable, *writable) = (with_count(*readable, counts.0), with_count(*writable, counts.1));
    }
}

fn with_count(buffers: Buffers, count: u32) -> Buffers {
    if count == 0 { Buffers::NONE } else { Buffers { count, ..buffers } }
}
