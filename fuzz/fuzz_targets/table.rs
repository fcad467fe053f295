//! Calls of the descriptor table, beside an oracle.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: ringstorm::fuzz::Calls| {
    ringstorm::fuzz::table(&input);
});
