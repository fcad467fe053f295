//! Runs scenarios: in a rig of this thread, or in a child process.

use crate::annotated_trace::{self, AnnotatedTrace, Style};
use crate::execution::{CannotRun, Rig};
use crate::outcome::Outcome;
use crate::scenario::{Draw, Scenario};
use crate::subject::SubjectKind;
use crate::tally::Block;
use crate::timeline::{self, Recorded, Timeline};
use ringstorm_core::Error as MemoryError;
use std::io;
use std::time::Instant;

/// Why scenarios cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A scenario cannot be run.
    #[error(transparent)]
    CannotRun(#[from] CannotRun),
    /// A child process cannot be started, or the communication with it failed.
    #[error("a child process failed: {0}")]
    Child(#[from] io::Error),
}

impl From<MemoryError> for Failure {
    fn from(error: MemoryError) -> Self {
        Self::CannotRun(error.into())
    }
}

/// Runs scenarios.
pub trait Executor {
    /// Runs the scenarios of `count` neighbouring seeds, starting with `first`.
    ///
    /// # Errors
    /// [`Failure`] if a scenario cannot be run.
    fn run_seeds(&mut self, kind: SubjectKind, draw: &Draw, first: u64, count: u64)
    -> Result<Block, Failure>;

    /// Runs a scenario.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be run.
    fn run(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<Outcome, Failure>;

    /// Runs a scenario and describes each step with its effects.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be run.
    fn annotated_trace(
        &mut self,
        style: Style,
        kind: SubjectKind,
        scenario: &Scenario,
    ) -> Result<(AnnotatedTrace, Outcome), Failure>;

    /// Runs a scenario and records where each descriptor was, step by step.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be run.
    fn record(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<(Timeline, Outcome), Failure>;

    /// The output of a child process that has ended, if there is any: its last words, or the first lines of the report of
    /// a sanitizer.
    fn last_output(&self) -> Option<String> {
        None
    }
}

impl Rig {
    /// Like [`run_seeds`](Executor::run_seeds), but ends after the first seed that is a finding, if `until_finding`.
    pub(crate) fn run_seeds_until(
        &mut self,
        kind: SubjectKind,
        draw: &Draw,
        first: u64,
        count: u64,
        until_finding: bool,
    ) -> Result<Block, Failure> {
        let mut block = Block::default();
        let mut scenario = Scenario::default();
        self.take_counts();
        self.take_depth();
        let start = Instant::now();
        for seed in (0..count).map(|offset| first.wrapping_add(offset)) {
            draw.scenario_with_into(seed, kind.offered_calls(), &mut scenario);
            self.begin_seed(seed);
            let outcome = Self::run(self, kind, &scenario, &mut ()).map_err(|error| error.at_seed(seed))?;
            block.tally.constructing += self.construction_time();
            block.add(seed, outcome);
            if until_finding && !block.findings.is_empty() {
                break;
            }
        }
        block.tally.counts = self.take_counts();
        block.tally.depth = self.take_depth();
        block.tally.stepping = start.elapsed().saturating_sub(block.tally.constructing);
        Ok(block)
    }
}

impl Executor for Rig {
    fn run_seeds(
        &mut self,
        kind: SubjectKind,
        draw: &Draw,
        first: u64,
        count: u64,
    ) -> Result<Block, Failure> {
        self.run_seeds_until(kind, draw, first, count, false)
    }

    fn run(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<Outcome, Failure> {
        Ok(Self::run(self, kind, scenario, &mut ())?)
    }

    fn annotated_trace(
        &mut self,
        style: Style,
        kind: SubjectKind,
        scenario: &Scenario,
    ) -> Result<(AnnotatedTrace, Outcome), Failure> {
        Ok(annotated_trace::annotate_in(style, self, kind, scenario)?)
    }

    fn record(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<(Timeline, Outcome), Failure> {
        let (mut moments, mut texts) = (Recorded::default(), Vec::new());
        annotated_trace::annotate_to(Style::Brief, self, kind, scenario, &mut |lines| {
            texts.push(lines.to_owned())
        })?;
        let outcome = timeline::record(self, kind, scenario, &mut |moment| moments.push(moment))?;
        Ok((Timeline::new(scenario, moments, texts, &outcome), outcome))
    }
}
