//! Writes arbitrary bytes to shared memory that the driver or the device then reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::fuzz::{WALK, Walk, count_inputs};

fuzz_target!(init: count_inputs(WALK), |input: Walk<'_>| {
    ringstorm::fuzz::walk(&input);
});
