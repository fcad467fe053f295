//! Correct queues that differ from core and from one another as real queues do, as subjects of the command. A finding in any
//! of them is a false alarm.
//!
//! `cargo run --release --example sound -- run --subject caches --profile hostile --seeds 100000` runs a storm over one of them,
//! and `.ci/sound SEEDS` over all of them.

mod queue;
mod rings;
mod variant;

fn main() -> std::process::ExitCode {
    ringstorm::cli::main_with(variant::VARIANTS)
}
