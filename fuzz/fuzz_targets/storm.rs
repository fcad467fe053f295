//! Runs scenarios over ringstorm's own queue.
#![no_main]

use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};
use ringstorm::fuzz::{STORM, count_inputs};

fuzz_target!(init: count_inputs(STORM), |scenario: ringstorm::scenario::Scenario| {
    ringstorm::fuzz::storm(&scenario);
});
fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    ringstorm::fuzz::mutate(bytes, size, most, seed)
});
fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    ringstorm::fuzz::crossover(one, other, out, seed)
});
