//! Any bytes in shared memory, in front of the driver or the device.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::fuzz::{WALK, Walk, begin_tally};

fuzz_target!(init: begin_tally(WALK), |input: Walk<'_>| {
    ringstorm::fuzz::walk(&input);
});
