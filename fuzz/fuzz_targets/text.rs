//! Any text in front of the parser of scenarios.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    ringstorm::fuzz::text(text);
});
