//! The search: one level after the other, each with all threads.

use super::alphabet::Alphabet;
use super::forecast::forecast;
use super::key::Seen;
use super::walker::{Expansion, Path, Walker};
use super::{Counterexample, Explored, Progress, Scope, StopReason};
use crate::execution::CannotRun;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The number of states that a thread takes at once.
const BLOCK: usize = 32;

/// A state: its previous state, and the action that led here. In level 0, `action` is the number of the setup.
#[derive(Debug, Clone, Copy)]
struct Node {
    previous: u32,
    action: u16,
}

/// There is no previous state.
const NO_STATE: u32 = u32::MAX;

/// Explores a scope and calls `progress` from time to time. When `interrupted` becomes true, it ends early and
/// returns the result so far.
///
/// # Errors
/// [`CannotRun`] if there is not enough memory for an execution, or if the subject's adapter is wrong.
pub fn explore(
    scope: &Scope,
    interrupted: &AtomicBool,
    progress: impl FnMut(Progress),
) -> Result<Explored, CannotRun> {
    let alphabet = Alphabet::new(scope.queue_size, scope.faults > 0).offering(scope.kind.offered_calls());
    let explored = Explored {
        levels: Vec::new(),
        transitions: 0,
        depth: None,
        ending: StopReason::Exhausted,
        found: None,
        elapsed: Duration::ZERO,
    };
    let mut search = Search {
        scope,
        alphabet: &alphabet,
        interrupted,
        start: Instant::now(),
        nodes: Vec::new(),
        seen: Seen::default(),
        estimated: false,
        progress,
        explored,
    };
    search.explored.ending = search.levels()?;
    search.explored.elapsed = search.start.elapsed();
    Ok(search.explored)
}

struct Search<'a, P> {
    scope: &'a Scope,
    alphabet: &'a Alphabet,
    interrupted: &'a AtomicBool,
    start: Instant,
    nodes: Vec<Node>,
    seen: Seen,
    /// Whether the number of states was already estimated.
    estimated: bool,
    progress: P,
    explored: Explored,
}

impl<P: FnMut(Progress)> Search<'_, P> {
    fn levels(&mut self) -> Result<StopReason, CannotRun> {
        let mut walker = Walker::new(self.scope, self.alphabet)?;
        for setup in 0..self.alphabet.setups.len() as u16 {
            let path = Path { setup, actions: Vec::new() };
            let Some(key) = walker.key_at(&path)? else { return self.found(path) };
            self.seen.insert(key);
            self.nodes.push(Node { previous: NO_STATE, action: setup });
        }
        self.explored.levels.push(self.nodes.len() as u64);
        let mut first = 0;
        loop {
            let depth = self.explored.levels.len() - 1;
            let level = first..self.nodes.len();
            if level.is_empty() {
                self.explored.levels.pop();
                return Ok(StopReason::NoNewStates);
            }
            if let Some(ending) = self.drain_level(level.clone(), depth)? {
                return Ok(ending);
            }
            self.explored.depth = Some(depth);
            if depth >= self.scope.depth {
                return Ok(StopReason::Exhausted);
            }
            if let Some(ending) = self.check_estimate() {
                return Ok(ending);
            }
            first = self.nodes.len();
            if let Some(ending) = self.expand_level(level, depth)? {
                return Ok(ending);
            }
        }
    }

    /// Estimates once, as soon as possible, whether the scope has too many states.
    fn check_estimate(&mut self) -> Option<StopReason> {
        if self.estimated || self.scope.time.is_some() {
            return None;
        }
        let totals = forecast(&self.explored.levels, self.scope.depth, self.scope.max_states)?;
        self.estimated = true;
        let (expected, limit) = (*totals.last()?, self.scope.max_states);
        let fits = totals.iter().take_while(|total| **total < limit).count().saturating_sub(1);
        (expected >= limit).then_some(StopReason::TooLarge { expected, fits })
    }

    /// Drains and releases the queue in every state of a level.
    fn drain_level(&mut self, level: Range<usize>, depth: usize) -> Result<Option<StopReason>, CannotRun> {
        let mut failing = None;
        let nodes = std::mem::take(&mut self.nodes);
        let ending = self.for_each_state(
            level,
            depth,
            |walker, number| {
                let path = path_of(&nodes, number);
                Ok(walker.run(&path)?.1.is_finding().then_some(path))
            },
            |_, result| match result {
                Some(path) => {
                    failing = Some(path);
                    ControlFlow::Break(StopReason::Found)
                }
                None => ControlFlow::Continue(()),
            },
        );
        self.nodes = nodes;
        match failing {
            Some(path) => self.found(path).map(Some),
            None => ending,
        }
    }

    /// Tries every action in every state of a level.
    fn expand_level(&mut self, level: Range<usize>, depth: usize) -> Result<Option<StopReason>, CannotRun> {
        let mut failing = None;
        let mut new: Vec<Node> = Vec::new();
        self.explored.levels.push(0);
        let first = level.start;
        let nodes = std::mem::take(&mut self.nodes);
        let mut number = first as u32;
        let ending = self.for_each_state(
            level,
            depth + 1,
            |walker, number| walker.expand(&path_of(&nodes, number)),
            |search, Expansion { successors, transitions, failing: action }| {
                search.explored.transitions += transitions;
                for successor in successors {
                    if search.seen.insert(successor.key) {
                        new.push(Node { previous: number, action: successor.action });
                        search.explored.levels[depth + 1] += 1;
                        if search.seen.len() as u64 >= search.scope.max_states {
                            return ControlFlow::Break(StopReason::StateLimit);
                        }
                    }
                }
                if let Some(action) = action {
                    let mut path = path_of(&nodes, number as usize);
                    path.actions.push(action);
                    failing = Some(path);
                    return ControlFlow::Break(StopReason::Found);
                }
                number += 1;
                ControlFlow::Continue(())
            },
        );
        self.nodes = nodes;
        self.nodes.append(&mut new);
        match failing {
            Some(path) => self.found(path).map(Some),
            None => ending,
        }
    }

    fn found(&mut self, path: Path) -> Result<StopReason, CannotRun> {
        let mut walker = Walker::new(self.scope, self.alphabet)?;
        let (scenario, outcome) = walker.run(&path)?;
        self.explored.found = Some(Counterexample { scenario, outcome });
        Ok(StopReason::Found)
    }

    /// Runs `work` on each state with all threads, and calls `merge` with the results in the order of the states.
    fn for_each_state<R: Send>(
        &mut self,
        level: Range<usize>,
        depth: usize,
        work: impl Fn(&mut Walker<'_>, usize) -> Result<R, CannotRun> + Sync,
        mut merge: impl FnMut(&mut Self, R) -> ControlFlow<StopReason>,
    ) -> Result<Option<StopReason>, CannotRun> {
        let (next, stop) = (AtomicUsize::new(level.start), AtomicBool::new(false));
        let (scope, alphabet, interrupted) = (self.scope, self.alphabet, self.interrupted);
        let (sender, receiver) = mpsc::sync_channel(4 * scope.jobs);
        let jobs = scope.jobs.min(level.len().div_ceil(BLOCK));
        std::thread::scope(|threads| {
            for _ in 0..jobs {
                let (sender, next, stop, work, end) = (sender.clone(), &next, &stop, &work, level.end);
                threads.spawn(move || {
                    let mut walker = match Walker::new(scope, alphabet) {
                        Ok(walker) => walker,
                        Err(error) => return drop(sender.send((0, Err(error)))),
                    };
                    loop {
                        let start = next.fetch_add(BLOCK, Ordering::Relaxed);
                        let stopped = stop.load(Ordering::Relaxed) || interrupted.load(Ordering::Relaxed);
                        if start >= end || stopped {
                            return;
                        }
                        let states = start..end.min(start + BLOCK);
                        let results =
                            states.map(|number| work(&mut walker, number)).collect::<Result<Vec<R>, _>>();
                        if sender.send((start, results)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut expected = level.start;
            let mut ending = None;
            'blocks: for (start, results) in &receiver {
                waiting.insert(start, results?);
                while let Some(results) = waiting.remove(&expected) {
                    expected += results.len();
                    for result in results {
                        if let ControlFlow::Break(why) = merge(self, result) {
                            ending = Some(why);
                            break 'blocks;
                        }
                    }
                }
                self.report_progress(depth, expected - level.start, level.len());
                if scope.time.is_some_and(|time| self.start.elapsed() >= time) && expected < level.end {
                    ending = Some(StopReason::TimeLimit);
                    break;
                }
            }
            stop.store(true, Ordering::Relaxed);
            drop(receiver);
            if ending.is_none() && expected < level.end {
                ending = Some(StopReason::Interrupted);
            }
            Ok(ending)
        })
    }

    fn report_progress(&mut self, depth: usize, done: usize, level: usize) {
        (self.progress)(Progress {
            depth,
            done: done as u64,
            level: level as u64,
            states: self.explored.states(),
            transitions: self.explored.transitions,
        });
    }
}

/// The path to a state.
fn path_of(nodes: &[Node], number: usize) -> Path {
    let mut path = Path::default();
    let mut node = nodes[number];
    while node.previous != NO_STATE {
        path.actions.push(node.action);
        node = nodes[node.previous as usize];
    }
    path.setup = node.action;
    path.actions.reverse();
    path
}
