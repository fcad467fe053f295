//! Calls of the descriptor table, beside an oracle.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstorm::fuzz::{Calls, TABLE, begin_tally};

fuzz_target!(init: begin_tally(TABLE), |input: Calls| {
    ringstorm::fuzz::table(&input);
});
