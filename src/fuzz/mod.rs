//! The code of the fuzz targets. Each target under `fuzz/` is only an entry point, so `cargo test` can run the same
//! code.
//!
//! - [`storm`]: runs a scenario over ringstorm's own queue; the model checks every step;
//! - [`specimen`]: runs a scenario over a queue with a known defect;
//! - [`table`]: calls the descriptor table alone and compares it with an oracle of chains and free descriptors;
//! - [`walk`]: writes arbitrary bytes as the device, which the driver then reads, or as the driver, which the device
//!   then reads;
//! - [`text`]: parses arbitrary text as a scenario.
//!
//! [`mutate`] and [`crossover`] change whole steps of a scenario. They replace libFuzzer's own mutations of bytes.

mod input_counts;
mod mutate;
mod specimen;
mod storm;
mod table;
mod table_calls;
mod table_oracle;
mod text;
mod walk;
mod walk_device;
mod walk_driver;
mod walk_queue;

pub use input_counts::{CountLabels, STORM, TABLE, TEXT, WALK, count_inputs};
pub use mutate::{Change, MIN_STEPS, change, crossover, mutate};
pub use specimen::{CAUGHT, begin_hunt, specimen};
pub use storm::storm;
pub use table::table;
pub use table_calls::Calls;
pub use text::text;
pub use walk::{Walk, walk};

use crate::execution::Rig;
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::subject::SubjectKind;
use arbitrary::{Arbitrary, Unstructured};
use ringstorm_sim_device::WatchedMemory;
use std::cell::RefCell;
use std::rc::Rc;

/// As many values as the remaining input yields.
#[derive(Debug)]
struct Remaining<T>(Vec<T>);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Remaining<T> {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let next = || (!input.is_empty()).then(|| T::arbitrary(input));
        std::iter::from_fn(next).collect::<arbitrary::Result<_>>().map(Self)
    }
}

thread_local! {
    static RIG: RefCell<Rig> = RefCell::new(Rig::new().expect("memory for small queues"));
    static MEMORIES: RefCell<Vec<Rc<WatchedMemory>>> = const { RefCell::new(Vec::new()) };
}

/// The least capacity of a memory in [`MEMORIES`], in bytes.
const MEMORY_BYTES: usize = 8192;

/// Zeroed memory of `length` bytes. Memory is used again for later inputs, because a sanitizer keeps freed memory as
/// well.
fn memory(length: usize) -> Rc<WatchedMemory> {
    MEMORIES.with_borrow_mut(|kept| {
        let mut others = kept.iter();
        let free = others.find(|memory| Rc::strong_count(memory) == 1 && memory.capacity() >= length);
        let memory = free.cloned().unwrap_or_else(|| {
            let memory = WatchedMemory::new(length.max(MEMORY_BYTES)).expect("there is memory");
            kept.push(Rc::new(memory));
            Rc::clone(&kept[kept.len() - 1])
        });
        memory.restart(length);
        memory
    })
}

fn run(kind: SubjectKind, scenario: &Scenario) -> Outcome {
    let outcome = RIG.with_borrow_mut(|rig| rig.run(kind, scenario, &mut ()));
    outcome.expect("memory for the scenario")
}
