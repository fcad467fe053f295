//! Tests of the code of the fuzz targets, without a fuzzer.

mod arbitrary_inputs;
mod changes;
