//! Runs scenarios over the specimen that the command names: `specimen CORPUS -ignore_remaining_args=1
//! specimen-id-folded`.
#![no_main]

use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};

fuzz_target!(init: ringstorm::fuzz::begin_hunt(std::env::args()), |scenario: ringstorm::scenario::Scenario| {
    ringstorm::fuzz::specimen(&scenario);
});
fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    ringstorm::fuzz::mutate(bytes, size, most, seed)
});
fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    ringstorm::fuzz::crossover(one, other, out, seed)
});
