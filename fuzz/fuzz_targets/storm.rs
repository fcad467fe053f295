//! Scenarios over ringstorm's own queue.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::scenario::Scenario;

fuzz_target!(|scenario: Scenario| {
    ringstorm::fuzz::storm(&scenario);
});
