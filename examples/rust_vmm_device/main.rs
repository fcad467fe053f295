//! rust-vmm's device in the storm: runs honest scenarios with it and with the simulated device, over two queues, and compares
//! all observations.
//!
//! `cargo run --release --example rust_vmm_device` makes over a million steps for each queue. `-- 1` makes a hundredth of that.

mod device;
mod differential;
mod memory;
mod notifications;

use device::RustVmmDevice;
use differential::{Counts, Differential};
use ringstorm::scenario::{Draw, Profile};
use ringstorm::subject::{QueueSize, SubjectKind};
use std::process::ExitCode;

/// Queue sizes (`None`: the seed draws it), each with its number of scenarios in a hundredth of a run.
const SIZES: [(Option<u32>, u64); 6] =
    [(None, 50), (Some(1), 8), (Some(2), 8), (Some(16), 8), (Some(256), 4), (Some(32768), 1)];
/// Steps of a scenario, without the drain.
const STEPS: usize = 128;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let hundredths: u64 = match std::env::args().nth(1).map(|argument| argument.parse()) {
        None => 100,
        Some(Ok(number)) => number,
        Some(Err(_)) => {
            eprintln!("usage: rust_vmm_device [HUNDREDTHS]; a run has 100, which is over a million steps");
            return Ok(ExitCode::from(2));
        }
    };
    let device = RustVmmDevice::new();
    let (wants_notification, refused_writes) = (device.wants_notification(), device.refused_writes());
    let mut both = Differential::new(device, wants_notification, refused_writes)?;
    for kind in [SubjectKind::Core, SubjectKind::Specimen(None)] {
        for (size, share) in SIZES {
            let queue_size = size.map(|size| QueueSize::new(size).expect("a power of two"));
            let draw = Draw { profile: Profile::Honest, steps: STEPS, queue_size };
            let mut counts = Counts::default();
            for seed in 0..share * hundredths {
                if let Some(difference) = both.run(kind, &draw.scenario(seed), &mut counts)? {
                    println!("seed {seed} {difference}");
                    return Ok(ExitCode::FAILURE);
                }
            }
            let size = size.map_or("drawn".to_owned(), |size| size.to_string());
            let Counts { scenarios, steps, effective_steps, events } = counts;
            println!(
                "{}, queue size {size}: {scenarios} scenarios, {steps} steps with each device, {effective_steps} of them \
                 effective, {events} events: no difference",
                kind.name()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
