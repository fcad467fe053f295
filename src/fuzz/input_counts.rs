//! Counts the inputs of a fuzzer's run and prints the totals at the end.

use std::cell::RefCell;

thread_local! {
    static COUNTS: RefCell<Option<InputCounts>> = const { RefCell::new(None) };
}

/// The words with which the counts of a fuzz target are printed.
#[derive(Debug, Clone, Copy)]
pub struct CountLabels {
    /// The name of the target.
    pub target: &'static str,
    /// The parts of an input, in the plural.
    pub steps: &'static str,
    /// What an input did if it reached the code under test.
    pub reached: &'static str,
}

/// The words for `storm`.
pub const STORM: CountLabels = CountLabels { target: "storm", steps: "steps", reached: "reached the queue" };
/// The words for `table`.
pub const TABLE: CountLabels = CountLabels { target: "table", steps: "calls", reached: "made a chain" };
/// The words for `walk`.
pub const WALK: CountLabels = CountLabels {
    target: "walk",
    steps: "acts",
    reached: "made one side read something that the other side wrote",
};
/// The words for `text`.
pub const TEXT: CountLabels = CountLabels { target: "text", steps: "lines", reached: "were valid scenarios" };

/// The counts of one thread. Dropping them prints the totals.
struct InputCounts {
    labels: CountLabels,
    executions: u64,
    steps: u64,
    reached: u64,
}

impl Drop for InputCounts {
    fn drop(&mut self) {
        let Self { labels: CountLabels { target, steps: unit, reached: what }, executions, steps, reached } =
            *self;
        let each = |count: u64| count as f64 / executions.max(1) as f64;
        eprintln!(
            "{target}: {executions} executions of {:.1} {unit} each; {reached} of them {what} ({:.3} %)",
            each(steps),
            100.0 * each(reached)
        );
    }
}

/// Starts counting inputs. The totals are printed when the thread ends.
pub fn count_inputs(labels: CountLabels) {
    COUNTS.set(Some(InputCounts { labels, executions: 0, steps: 0, reached: 0 }));
}

/// Counts one input that has `steps` parts.
pub(super) fn count(steps: usize, reached: bool) {
    COUNTS.with_borrow_mut(|counts| {
        if let Some(counts) = counts {
            counts.executions += 1;
            counts.steps += steps as u64;
            counts.reached += u64::from(reached);
        }
    });
}
