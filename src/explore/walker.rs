//! Runs paths and expands states: the work of one thread.

use super::Scope;
use super::alphabet::Alphabet;
use super::key::{Key, KeyHasher, key_of};
use crate::execution::{CannotRun, Rig, Snapshot, StepResult, ending_variants};
use crate::outcome::Outcome;
use crate::scenario::{Op, Scenario, Setup, Step};
use std::hash::Hasher;

/// A path to a state: the number of the setup, then the numbers of the actions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Path {
    pub(super) setup: u16,
    pub(super) actions: Vec<u16>,
}

/// A state that one more action reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Successor {
    pub(super) action: u16,
    pub(super) key: Key,
}

/// All states that one more action reaches.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// In the order of actions. Several may be the same state.
    pub(super) successors: Vec<Successor>,
    /// The number of actions that had an effect.
    pub(super) transitions: u64,
    /// The first action that ends the execution with a finding.
    pub(super) failing: Option<u16>,
}

/// The state of one thread.
pub(super) struct Walker<'a> {
    scope: &'a Scope,
    alphabet: &'a Alphabet,
    rig: Rig,
    hasher: KeyHasher,
    /// Whether the subject has a fingerprint, once that is known.
    has_fingerprint: Option<bool>,
    /// A hash of all calls and of the memory that they saw, for a subject without a fingerprint.
    history: Key,
}

impl<'a> Walker<'a> {
    pub(super) fn new(scope: &'a Scope, alphabet: &'a Alphabet) -> Result<Self, CannotRun> {
        Ok(Self {
            scope,
            alphabet,
            rig: Rig::new()?,
            hasher: KeyHasher::default(),
            has_fingerprint: None,
            history: 0,
        })
    }

    fn setup(&self, path: &Path) -> &'a Setup {
        &self.alphabet.setups[usize::from(path.setup)]
    }

    /// The scenario of a path.
    pub(super) fn scenario(&self, path: &Path) -> Scenario {
        let actions = path.actions.iter().map(|action| self.alphabet.actions[usize::from(*action)].step);
        Scenario { setup: *self.setup(path), steps: actions.collect() }
    }

    /// Runs a path from the beginning, with the drain at the end. The number of steps decides what the driver does
    /// last before the queue is released. So this adds steps that do nothing until all variants of the end were run.
    /// Returns the first scenario that fails, or else the last one.
    pub(super) fn run(&mut self, path: &Path) -> Result<(Scenario, Outcome), CannotRun> {
        let mut scenario = self.scenario(path);
        let ending = self.scope.kind.negotiate(&scenario.setup).ending;
        let mut outcome = self.rig.run(self.scope.kind, &scenario, &mut ())?;
        for _ in 1..ending_variants(ending) {
            if outcome.is_finding() {
                break;
            }
            scenario.steps.push(Step::Idle);
            outcome = self.rig.run(self.scope.kind, &scenario, &mut ())?;
        }
        Ok((scenario, outcome))
    }

    /// The key of the state at the end of a path. `None` if an execution of the path fails.
    pub(super) fn key_at(&mut self, path: &Path) -> Result<Option<Key>, CannotRun> {
        Ok(if self.replay(path)? { Some(self.key(path, 0)) } else { None })
    }

    /// Tries every action in the state at the end of a path.
    pub(super) fn expand(&mut self, path: &Path) -> Result<Expansion, CannotRun> {
        let mut expansion = Expansion::default();
        let faults = path.actions.iter().filter(|action| self.is_fault(**action)).count();
        self.replay(path)?;
        let history = self.history;
        let snapshot = if self.scope.features.snapshots { self.rig.snapshot() } else { None };
        let mut moved = false;
        for (action, number) in self.alphabet.actions.iter().zip(0_u16..) {
            let too_late = action.rare && path.actions.len() >= Alphabet::RARE;
            if too_late || action.is_fault() && faults >= self.scope.faults as usize {
                continue;
            }
            if moved {
                self.return_to(path, snapshot.as_ref())?;
                self.history = history;
            }
            self.record_call(number);
            match self.rig.try_step(&action.step)? {
                StepResult::Skipped => {
                    // The step had no effect. It was counted, but the count does not matter for the next action.
                    self.history = history;
                    moved = false;
                }
                StepResult::Continued => {
                    expansion.transitions += 1;
                    let key = self.key(path, u64::from(action.is_fault()));
                    expansion.successors.push(Successor { action: number, key });
                    moved = true;
                }
                StepResult::Ended(_) => {
                    expansion.transitions += 1;
                    expansion.failing = Some(number);
                    break;
                }
            }
        }
        if let Some(snapshot) = snapshot {
            Rig::forget(snapshot);
        }
        Ok(expansion)
    }

    fn is_fault(&self, action: u16) -> bool {
        self.alphabet.actions[usize::from(action)].is_fault()
    }

    fn return_to(&mut self, path: &Path, snapshot: Option<&Snapshot>) -> Result<(), CannotRun> {
        match snapshot {
            Some(snapshot) => self.rig.restore(snapshot),
            None => {
                self.replay(path)?;
            }
        }
        Ok(())
    }

    /// Runs a path from its beginning. Returns whether nothing failed.
    fn replay(&mut self, path: &Path) -> Result<bool, CannotRun> {
        self.history = 0;
        let mut passed = self.rig.try_begin(self.scope.kind, self.setup(path))? == StepResult::Continued;
        if !passed {
            // There is no subject.
            return Ok(false);
        }
        if self.has_fingerprint.is_none() {
            let has_fingerprint =
                self.scope.features.fingerprints && self.rig.fingerprint_subject(&mut self.hasher);
            self.hasher.take();
            self.has_fingerprint = Some(has_fingerprint);
        }
        for action in &path.actions {
            self.record_call(*action);
            passed &= self.rig.try_step(&self.alphabet.actions[usize::from(*action)].step)?
                == StepResult::Continued;
        }
        Ok(passed)
    }

    /// Adds a call, and the memory that it will see, to the history of a subject without a fingerprint.
    fn record_call(&mut self, action: u16) {
        let step = &self.alphabet.actions[usize::from(action)].step;
        // Faults are not in this list, because they may make the caller look at memory.
        let by_device = matches!(
            step.op(),
            Op::DeviceTake | Op::DeviceReturn | Op::DeviceNotifications | Op::DeviceEvent
        );
        if by_device || self.has_fingerprint == Some(true) {
            return;
        }
        self.rig.fingerprint_memory(&mut self.hasher);
        self.hasher.write(&self.history.to_le_bytes());
        self.hasher.write_u16(action);
        self.history = self.hasher.take();
    }

    /// The key of the current state. It includes the number of faults, which limits later faults.
    fn key(&mut self, path: &Path, more_faults: u64) -> Key {
        let faults = path.actions.iter().filter(|action| self.is_fault(**action)).count() as u64;
        let honest = faults + more_faults >= u64::from(self.scope.faults);
        self.rig.fingerprint(honest, &mut self.hasher);
        if self.has_fingerprint == Some(true) {
            self.rig.fingerprint_subject(&mut self.hasher);
        }
        let history = self.history.to_le_bytes();
        key_of(&mut self.hasher, (path.setup, faults + more_faults, history))
    }
}
