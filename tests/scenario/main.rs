//! The three forms of a scenario say the same, and a text that is none is refused where it goes wrong.

mod pinned;
mod refused;
mod round_trip;
