//! Scenarios over the specimen that the command names: `specimen CORPUS -ignore_remaining_args=1 specimen-id-folded`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::scenario::Scenario;

fuzz_target!(init: ringstorm::fuzz::begin_hunt(std::env::args()), |scenario: Scenario| {
    ringstorm::fuzz::specimen(&scenario);
});
