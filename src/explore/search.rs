//! The search: level by level, each level by all threads.

use super::alphabet::Alphabet;
use super::forecast::forecast;
use super::key::Seen;
use super::walker::{Expansion, Path, Walker};
use super::{Counterexample, Ending, Explored, Progress, Scope};
use crate::execution::CannotRun;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// States that a thread takes at once.
const BLOCK: usize = 32;

/// A state: the one before it, and the letter that led here. One of level 0 has the number of its setup for a letter.
#[derive(Debug, Clone, Copy)]
struct Node {
    before: u32,
    letter: u16,
}

/// No state before.
const NONE: u32 = u32::MAX;

/// Explores a scope. `progress` is called now and then. It ends early, with what is known so far, when `interrupted`
/// becomes true.
///
/// # Errors
/// [`CannotRun`] if there is no memory for an execution, or the subject's adapter is wrong.
pub fn explore(
    scope: &Scope,
    interrupted: &AtomicBool,
    progress: impl FnMut(Progress),
) -> Result<Explored, CannotRun> {
    let alphabet = Alphabet::new(scope.queue_size, scope.faults > 0);
    let explored = Explored {
        levels: Vec::new(),
        transitions: 0,
        depth: None,
        ending: Ending::Exhausted,
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
        guessed: false,
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
    /// Whether it was guessed how many states there are.
    guessed: bool,
    progress: P,
    explored: Explored,
}

impl<P: FnMut(Progress)> Search<'_, P> {
    fn levels(&mut self) -> Result<Ending, CannotRun> {
        let mut walker = Walker::new(self.scope, self.alphabet)?;
        for setup in 0..self.alphabet.setups.len() as u16 {
            let path = Path { setup, letters: Vec::new() };
            let Some(key) = walker.key_at(&path)? else { return self.found(path) };
            self.seen.insert(key);
            self.nodes.push(Node { before: NONE, letter: setup });
        }
        self.explored.levels.push(self.nodes.len() as u64);
        let mut first = 0;
        loop {
            let depth = self.explored.levels.len() - 1;
            let level = first..self.nodes.len();
            if level.is_empty() {
                self.explored.levels.pop();
                return Ok(Ending::Closed);
            }
            if let Some(ending) = self.settle(level.clone(), depth)? {
                return Ok(ending);
            }
            self.explored.depth = Some(depth);
            if depth >= self.scope.depth {
                return Ok(Ending::Exhausted);
            }
            if let Some(ending) = self.refuse() {
                return Ok(ending);
            }
            first = self.nodes.len();
            if let Some(ending) = self.go_on(level, depth)? {
                return Ok(ending);
            }
        }
    }

    /// Says if the scope has too many states, once there is something to guess from, and then never again.
    fn refuse(&mut self) -> Option<Ending> {
        if self.guessed || self.scope.time.is_some() {
            return None;
        }
        let totals = forecast(&self.explored.levels, self.scope.depth, self.scope.max_states)?;
        self.guessed = true;
        let (expected, limit) = (*totals.last()?, self.scope.max_states);
        let fits = totals.iter().take_while(|total| **total < limit).count().saturating_sub(1);
        (expected >= limit).then_some(Ending::Refused { expected, fits })
    }

    /// Settles and releases from every state of a level.
    fn settle(&mut self, level: Range<usize>, depth: usize) -> Result<Option<Ending>, CannotRun> {
        let mut guilty = None;
        let nodes = std::mem::take(&mut self.nodes);
        let ending = self.sweep(
            level,
            depth,
            |walker, number| {
                let path = path_of(&nodes, number);
                Ok(walker.run(&path)?.1.is_finding().then_some(path))
            },
            |_, result| match result {
                Some(path) => {
                    guilty = Some(path);
                    ControlFlow::Break(Ending::Found)
                }
                None => ControlFlow::Continue(()),
            },
        );
        self.nodes = nodes;
        match guilty {
            Some(path) => self.found(path).map(Some),
            None => ending,
        }
    }

    /// Tries every letter from every state of a level.
    fn go_on(&mut self, level: Range<usize>, depth: usize) -> Result<Option<Ending>, CannotRun> {
        let mut guilty = None;
        let mut new: Vec<Node> = Vec::new();
        self.explored.levels.push(0);
        let first = level.start;
        let nodes = std::mem::take(&mut self.nodes);
        let mut number = first as u32;
        let ending = self.sweep(
            level,
            depth + 1,
            |walker, number| walker.expand(&path_of(&nodes, number)),
            |search, Expansion { successors, transitions, guilty: letter }| {
                search.explored.transitions += transitions;
                for successor in successors {
                    if search.seen.insert(successor.key) {
                        new.push(Node { before: number, letter: successor.letter });
                        search.explored.levels[depth + 1] += 1;
                        if search.seen.len() as u64 >= search.scope.max_states {
                            return ControlFlow::Break(Ending::Full);
                        }
                    }
                }
                if let Some(letter) = letter {
                    let mut path = path_of(&nodes, number as usize);
                    path.letters.push(letter);
                    guilty = Some(path);
                    return ControlFlow::Break(Ending::Found);
                }
                number += 1;
                ControlFlow::Continue(())
            },
        );
        self.nodes = nodes;
        self.nodes.append(&mut new);
        match guilty {
            Some(path) => self.found(path).map(Some),
            None => ending,
        }
    }

    fn found(&mut self, path: Path) -> Result<Ending, CannotRun> {
        let mut walker = Walker::new(self.scope, self.alphabet)?;
        let (scenario, outcome) = walker.run(&path)?;
        self.explored.found = Some(Counterexample { scenario, outcome });
        Ok(Ending::Found)
    }

    /// Has all threads do something with each state, and takes the results in, in the order of the states.
    fn sweep<R: Send>(
        &mut self,
        level: Range<usize>,
        depth: usize,
        work: impl Fn(&mut Walker<'_>, usize) -> Result<R, CannotRun> + Sync,
        mut take_in: impl FnMut(&mut Self, R) -> ControlFlow<Ending>,
    ) -> Result<Option<Ending>, CannotRun> {
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
                        if let ControlFlow::Break(why) = take_in(self, result) {
                            ending = Some(why);
                            break 'blocks;
                        }
                    }
                }
                self.tell(depth, expected - level.start, level.len());
                if scope.time.is_some_and(|time| self.start.elapsed() >= time) && expected < level.end {
                    ending = Some(Ending::Late);
                    break;
                }
            }
            stop.store(true, Ordering::Relaxed);
            drop(receiver);
            if ending.is_none() && expected < level.end {
                ending = Some(Ending::Interrupted);
            }
            Ok(ending)
        })
    }

    fn tell(&mut self, depth: usize, done: usize, level: usize) {
        (self.progress)(Progress {
            depth,
            done: done as u64,
            level: level as u64,
            states: self.explored.states(),
            transitions: self.explored.transitions,
        });
    }
}

/// The way to a state.
fn path_of(nodes: &[Node], number: usize) -> Path {
    let mut path = Path::default();
    let mut node = nodes[number];
    while node.before != NONE {
        path.letters.push(node.letter);
        node = nodes[node.before as usize];
    }
    path.setup = node.letter;
    path.letters.reverse();
    path
}
