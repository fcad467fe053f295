//! Tests of the three forms of a scenario, and of the errors of the parser.

mod pinned;
mod refused;
mod round_trip;
