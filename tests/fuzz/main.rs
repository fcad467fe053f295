//! What stands behind the fuzz targets, without a fuzzer.

mod arbitrary_inputs;
mod changes;
