//! storm
fn main() {}
