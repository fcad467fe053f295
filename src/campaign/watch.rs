//! Watching for a call that never returns: the one use of a clock that decides anything.

use super::Plan;
use crate::execution::{ExecutionPosition, ProgressCell, SharedProgressCell};
use crate::outcome::Call;
use ringstorm_sim_device::Fault;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(100);

/// A call of the subject that did not return in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hang {
    /// The seed, or the one whose scenario is being shrunk.
    pub seed: Option<u64>,
    /// Whether it is being shrunk.
    pub shrinking: bool,
    /// The step.
    pub step: u32,
    /// The call.
    pub call: Call,
    /// The last fault before it.
    pub last_fault: Option<Fault>,
    /// How long it was waited for.
    pub waited: Duration,
}

/// Watches the progress_cells of rigs in this process, until what is given back is dropped. (Whoever runs the subject in a child
/// process watches that by itself.)
pub(super) fn watch<'scope>(
    scope: &'scope Scope<'scope, '_>,
    plan: &'scope Plan,
    progress_cells: &'scope [SharedProgressCell],
    hung: &'scope (dyn Fn(&Hang) + Sync),
) -> Sender<()> {
    let (watching, over) = channel();
    if plan.isolation.is_none() {
        scope.spawn(move || {
            let mut watched: Vec<Watched> = progress_cells.iter().map(Watched::new).collect();
            while over.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let mut hangs = watched.iter_mut().map(|watched| watched.look(plan.call_timeout));
                if let Some((number, Some(hang))) =
                    hangs.by_ref().enumerate().find(|(_, hang)| hang.is_some())
                {
                    // The first one is that of whoever shrinks.
                    return hung(&Hang { shrinking: number == 0, ..hang });
                }
            }
        });
    }
    watching
}

/// One progress_cell, and for how long it did not change.
struct Watched {
    progress_cell: ProgressCell,
    last: ExecutionPosition,
    looked: Instant,
    /// As far as the watchdog ran itself.
    waited: Duration,
}

impl Watched {
    fn new(progress_cell: &SharedProgressCell) -> Self {
        let progress_cell = progress_cell.handle();
        Self { last: progress_cell.place(), progress_cell, looked: Instant::now(), waited: Duration::ZERO }
    }

    fn look(&mut self, call_timeout: Duration) -> Option<Hang> {
        let (place, passed) = (self.progress_cell.place(), self.looked.elapsed());
        self.looked += passed;
        if place == self.last {
            // Where the watchdog could not run, as in a process that is stopped, neither could the call.
            self.waited += passed.min(2 * INTERVAL);
        } else {
            (self.last, self.waited) = (place, Duration::ZERO);
        }
        let call = place.call?;
        (self.waited >= call_timeout).then(|| Hang {
            seed: place.seed,
            shrinking: false,
            step: place.steps.saturating_sub(1),
            call,
            last_fault: place.last_fault,
            waited: self.waited,
        })
    }
}
