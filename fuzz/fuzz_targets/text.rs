//! Parses arbitrary text as a scenario.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::fuzz::{TEXT, count_inputs};

fuzz_target!(init: count_inputs(TEXT), |text: &str| {
    ringstorm::fuzz::text(text);
});
