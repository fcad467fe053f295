//! Going from state to state: what one thread does.

use super::Scope;
use super::alphabet::Alphabet;
use super::key::{Key, KeyHasher, key_of};
use crate::execution::{CannotRun, Rig, Snapshot, StepResult, ending_variants};
use crate::outcome::Outcome;
use crate::scenario::{Op, Scenario, Setup, Step};
use std::hash::Hasher;

/// A way to a state: the number of the setup, then the numbers of the letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    pub(super) setup: u16,
    pub(super) letters: Vec<u16>,
}

/// Where one more step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Successor {
    pub(super) letter: u16,
    pub(super) key: Key,
}

/// What there is one step on from a state.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// In the order of letters. Several may be the same state.
    pub(super) successors: Vec<Successor>,
    /// Steps that did something.
    pub(super) transitions: u64,
    /// The first letter with which the execution ends.
    pub(super) guilty: Option<u16>,
}

/// Everything that one thread needs.
pub(super) struct Walker<'a> {
    scope: &'a Scope,
    alphabet: &'a Alphabet,
    rig: Rig,
    hasher: KeyHasher,
    /// Whether the subject tells its state, once that is known.
    tells: Option<bool>,
    /// All calls and the memory they saw, for a subject that does not tell its state.
    history: Key,
}

impl<'a> Walker<'a> {
    pub(super) fn new(scope: &'a Scope, alphabet: &'a Alphabet) -> Result<Self, CannotRun> {
        Ok(Self { scope, alphabet, rig: Rig::new()?, hasher: KeyHasher::default(), tells: None, history: 0 })
    }

    fn setup(&self, path: &Path) -> &'a Setup {
        &self.alphabet.setups[usize::from(path.setup)]
    }

    /// The scenario of a path.
    pub(super) fn scenario(&self, path: &Path) -> Scenario {
        let letters = path.letters.iter().map(|letter| self.alphabet.letters[usize::from(*letter)].step);
        Scenario { setup: *self.setup(path), steps: letters.collect() }
    }

    /// Runs a path from beginning to end, settling included. The number of steps decides what the queue does last before it is
    /// let go, so it is run with more that do nothing too, until all that was tried. Says which scenario goes wrong, if one does.
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

    /// The key of a state that nothing goes wrong on the way to.
    pub(super) fn key_at(&mut self, path: &Path) -> Result<Option<Key>, CannotRun> {
        Ok(if self.go(path)? { Some(self.key(path, 0)) } else { None })
    }

    /// Tries every letter in a state.
    pub(super) fn expand(&mut self, path: &Path) -> Result<Expansion, CannotRun> {
        let mut expansion = Expansion::default();
        let faults = path.letters.iter().filter(|letter| self.is_fault(**letter)).count();
        self.go(path)?;
        let history = self.history;
        let snapshot = if self.scope.means.snapshots { self.rig.snapshot() } else { None };
        let mut moved = false;
        for (letter, number) in self.alphabet.letters.iter().zip(0_u16..) {
            let too_late = letter.rare && path.letters.len() >= Alphabet::RARE;
            if too_late || letter.is_fault() && faults >= self.scope.faults as usize {
                continue;
            }
            if moved {
                self.come_back(path, snapshot.as_ref())?;
                self.history = history;
            }
            self.remember(number);
            match self.rig.try_step(&letter.step)? {
                StepResult::Skipped => {
                    // Nothing happened, but the step was counted: for the next one that is of no matter.
                    self.history = history;
                    moved = false;
                }
                StepResult::Continued => {
                    expansion.transitions += 1;
                    let key = self.key(path, u64::from(letter.is_fault()));
                    expansion.successors.push(Successor { letter: number, key });
                    moved = true;
                }
                StepResult::Ended(_) => {
                    expansion.transitions += 1;
                    expansion.guilty = Some(number);
                    break;
                }
            }
        }
        if let Some(snapshot) = snapshot {
            Rig::forget(snapshot);
        }
        Ok(expansion)
    }

    fn is_fault(&self, letter: u16) -> bool {
        self.alphabet.letters[usize::from(letter)].is_fault()
    }

    fn come_back(&mut self, path: &Path, snapshot: Option<&Snapshot>) -> Result<(), CannotRun> {
        match snapshot {
            Some(snapshot) => self.rig.restore(snapshot),
            None => {
                self.go(path)?;
            }
        }
        Ok(())
    }

    /// Goes a path from its beginning. Says whether that went well.
    fn go(&mut self, path: &Path) -> Result<bool, CannotRun> {
        self.history = 0;
        let mut well = self.rig.try_begin(self.scope.kind, self.setup(path))? == StepResult::Continued;
        if self.tells.is_none() {
            let tells = self.scope.means.fingerprints && self.rig.fingerprint_subject(&mut self.hasher);
            self.hasher.take();
            self.tells = Some(tells);
        }
        for letter in &path.letters {
            self.remember(*letter);
            well &= self.rig.try_step(&self.alphabet.letters[usize::from(*letter)].step)?
                == StepResult::Continued;
        }
        Ok(well)
    }

    /// Remembers, for a subject that does not tell its state, that a call comes and what memory it will see.
    fn remember(&mut self, letter: u16) {
        let step = &self.alphabet.letters[usize::from(letter)].step;
        // A fault may make the caller look, so it is not among these.
        let by_device = matches!(
            step.op(),
            Op::DeviceTake | Op::DeviceReturn | Op::DeviceNotifications | Op::DeviceEvent
        );
        if by_device || self.tells == Some(true) {
            return;
        }
        self.rig.fingerprint_memory(&mut self.hasher);
        self.hasher.write(&self.history.to_le_bytes());
        self.hasher.write_u16(letter);
        self.history = self.hasher.take();
    }

    /// The key of the current state. Faults on the way are part of it, since they leave fewer for later.
    fn key(&mut self, path: &Path, more_faults: u64) -> Key {
        let faults = path.letters.iter().filter(|letter| self.is_fault(**letter)).count() as u64;
        let honest = faults + more_faults >= u64::from(self.scope.faults);
        self.rig.fingerprint(honest, &mut self.hasher);
        if self.tells == Some(true) {
            self.rig.fingerprint_subject(&mut self.hasher);
        }
        let history = self.history.to_le_bytes();
        key_of(&mut self.hasher, (path.setup, faults + more_faults, history))
    }
}
