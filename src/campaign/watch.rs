//! Detects calls that do not return. This is the only place where a clock decides a result.

use super::Plan;
use crate::execution::{ExecutionPosition, ProgressCell, SharedProgressCell};
use crate::outcome::Call;
use ringstorm_sim_device::Fault;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

/// The time between two checks.
const INTERVAL: Duration = Duration::from_millis(100);

/// A call of the subject that did not return in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hang {
    /// The current seed, or the seed whose scenario is being shrunk.
    pub seed: Option<u64>,
    /// Whether a scenario is being shrunk.
    pub shrinking: bool,
    /// The number of the current step, from 0.
    pub step: u32,
    /// The call.
    pub call: Call,
    /// The last fault before the call.
    pub last_fault: Option<Fault>,
    /// How long the call has taken so far.
    pub waited: Duration,
}

/// Watches the rigs of this process until the returned sender is dropped. A child process is watched by its
/// [`Child`](crate::isolation::Child) instead.
pub(super) fn watch<'scope>(
    scope: &'scope Scope<'scope, '_>,
    plan: &'scope Plan,
    progress_cells: &'scope [SharedProgressCell],
    on_hang: &'scope (dyn Fn(&Hang) + Sync),
) -> Sender<()> {
    let (watching, over) = channel();
    if plan.isolation.is_none() {
        scope.spawn(move || {
            let mut watched: Vec<Watched> = progress_cells.iter().map(Watched::new).collect();
            while over.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let mut hangs = watched.iter_mut().map(|watched| watched.check(plan.call_timeout));
                if let Some((number, Some(hang))) =
                    hangs.by_ref().enumerate().find(|(_, hang)| hang.is_some())
                {
                    // The first cell belongs to the thread that shrinks.
                    return on_hang(&Hang { shrinking: number == 0, ..hang });
                }
            }
        });
    }
    watching
}

/// One progress cell, and for how long it has not changed.
struct Watched {
    progress_cell: ProgressCell,
    last: ExecutionPosition,
    checked: Instant,
    /// The time without a change, while the watchdog itself was running.
    waited: Duration,
}

impl Watched {
    fn new(progress_cell: &SharedProgressCell) -> Self {
        let progress_cell = progress_cell.handle();
        Self {
            last: progress_cell.position(),
            progress_cell,
            checked: Instant::now(),
            waited: Duration::ZERO,
        }
    }

    fn check(&mut self, call_timeout: Duration) -> Option<Hang> {
        let (position, passed) = (self.progress_cell.position(), self.checked.elapsed());
        self.checked += passed;
        if position == self.last {
            // When the watchdog cannot run, for example in a stopped process, the call cannot run either.
            self.waited += passed.min(2 * INTERVAL);
        } else {
            (self.last, self.waited) = (position, Duration::ZERO);
        }
        let call = position.call?;
        (self.waited >= call_timeout).then(|| Hang {
            seed: position.seed,
            shrinking: false,
            step: position.steps.saturating_sub(1),
            call,
            last_fault: position.last_fault,
            waited: self.waited,
        })
    }
}
