//! Calls the descriptor table and compares it with an oracle.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::fuzz::{Calls, TABLE, count_inputs};

fuzz_target!(init: count_inputs(TABLE), |input: Calls| {
    ringstorm::fuzz::table(&input);
});
