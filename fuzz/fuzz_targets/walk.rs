//! Any bytes in shared memory, in front of the driver or the device.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: ringstorm::fuzz::Walk<'_>| {
    ringstorm::fuzz::walk(&input);
});
