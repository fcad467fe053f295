//! Any text in front of the parser of scenarios.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::fuzz::{TEXT, begin_tally};

fuzz_target!(init: begin_tally(TEXT), |text: &str| {
    ringstorm::fuzz::text(text);
});
