//! What the inputs of a fuzzer's run came to.

use std::cell::RefCell;

thread_local! {
    static TALLY: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// What is counted of a fuzz target's inputs.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// The target.
    pub target: &'static str,
    /// What an input consists of, in the plural.
    pub steps: &'static str,
    /// What an input did that reached what is tried.
    pub reached: &'static str,
}

/// Of `storm`.
pub const STORM: Counted = Counted { target: "storm", steps: "steps", reached: "reached the queue" };
/// Of `table`.
pub const TABLE: Counted = Counted { target: "table", steps: "calls", reached: "made a chain" };
/// Of `walk`.
pub const WALK: Counted =
    Counted { target: "walk", steps: "acts", reached: "had something read that the other side wrote" };
/// Of `text`.
pub const TEXT: Counted = Counted { target: "text", steps: "lines", reached: "were a scenario" };

/// Dropped with the thread, it tells.
struct Tally {
    counted: Counted,
    executions: u64,
    steps: u64,
    reached: u64,
}

impl Drop for Tally {
    fn drop(&mut self) {
        let Self { counted: Counted { target, steps: unit, reached: what }, executions, steps, reached } =
            *self;
        let each = |count: u64| count as f64 / executions.max(1) as f64;
        eprintln!(
            "{target}: {executions} executions of {:.1} {unit} each; {reached} of them {what} ({:.3} %)",
            each(steps),
            100.0 * each(reached)
        );
    }
}

/// From now on inputs are counted, and the end of the thread tells how many there were.
pub fn begin_tally(counted: Counted) {
    TALLY.set(Some(Tally { counted, executions: 0, steps: 0, reached: 0 }));
}

/// Counts an input of so many steps.
pub(super) fn count(steps: usize, reached: bool) {
    TALLY.with_borrow_mut(|tally| {
        if let Some(tally) = tally {
            tally.executions += 1;
            tally.steps += steps as u64;
            tally.reached += u64::from(reached);
        }
    });
}
