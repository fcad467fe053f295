//! What the fuzz targets do, so that each of them is a doorbell and `cargo test` can ring it too.
//!
//! - [`storm`]: a scenario over ringstorm's own queue, judged at every step;
//! - [`specimen`]: a scenario over a queue with a known defect;
//! - [`table`]: calls of the descriptor table alone, beside an oracle of chains and free descriptors;
//! - [`walk`]: any bytes where a device writes, in front of the driver, and where a driver writes, in front of the
//!   device;
//! - [`text`]: any text in front of the parser of scenarios.
//!
//! Scenarios are changed by whole steps: [`mutate`] and [`cross`] stand in for libFuzzer's own changes of bytes.

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

pub use input_counts::{Counted, STORM, TABLE, TEXT, WALK, begin_tally};
pub use mutate::{Change, LEAST_STEPS, change, cross, mutate};
pub use specimen::{CATCH, begin_hunt, specimen};
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

/// As many as the rest of the input is good for.
#[derive(Debug)]
struct All<T>(Vec<T>);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for All<T> {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let next = || (!input.is_empty()).then(|| T::arbitrary(input));
        std::iter::from_fn(next).collect::<arbitrary::Result<_>>().map(Self)
    }
}

thread_local! {
    static RIG: RefCell<Rig> = RefCell::new(Rig::new().expect("memory for small queues"));
    static MEMORIES: RefCell<Vec<Rc<WatchedMemory>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that kept memory has at least.
const MEMORY_BYTES: usize = 8192;

/// Zero memory of so many bytes, of what is kept from one input to the next: a sanitizer keeps what was given back as well.
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
