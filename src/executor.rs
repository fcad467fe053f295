//! Who runs scenarios: a rig of this thread, or one in a child process.

use crate::annotated_trace::{self, AnnotatedTrace, Style};
use crate::campaign::Block;
use crate::execution::{CannotRun, Rig};
use crate::outcome::Outcome;
use crate::scenario::{Draw, Scenario};
use crate::subject::SubjectKind;
use crate::timeline::{self, Recorded, Timeline};
use ringstorm_core::Error as MemoryError;
use std::io;
use std::time::Instant;

/// Why scenarios cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// One cannot be run.
    #[error(transparent)]
    CannotRun(#[from] CannotRun),
    /// A child process cannot be started or talked to.
    #[error("a child process: {0}")]
    Child(#[from] io::Error),
}

impl From<MemoryError> for Failure {
    fn from(error: MemoryError) -> Self {
        Self::CannotRun(error.into())
    }
}

/// Somebody who runs scenarios.
pub trait Executor {
    /// Runs the scenarios of neighbouring seeds, from `first` on.
    ///
    /// # Errors
    /// [`Failure`] if one cannot be run.
    fn seeds(&mut self, kind: SubjectKind, draw: &Draw, first: u64, count: u64) -> Result<Block, Failure>;

    /// Runs a scenario.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be run.
    fn run(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<Outcome, Failure>;

    /// Runs a scenario and tells its story.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be run.
    fn tell(
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

    /// What a process printed last that is no more.
    fn last_words(&self) -> Option<String> {
        None
    }
}

impl Executor for Rig {
    fn seeds(&mut self, kind: SubjectKind, draw: &Draw, first: u64, count: u64) -> Result<Block, Failure> {
        let mut block = Block::default();
        let mut scenario = Scenario::default();
        self.take_counts();
        let start = Instant::now();
        for seed in (0..count).map(|offset| first.wrapping_add(offset)) {
            draw.scenario_into(seed, &mut scenario);
            self.begin_seed(seed);
            let outcome = Self::run(self, kind, &scenario, &mut ()).map_err(|unfit| unfit.at_seed(seed))?;
            block.tally.constructing += self.construction_time();
            block.add(seed, outcome);
        }
        block.tally.counts = self.take_counts();
        block.tally.stepping = start.elapsed().saturating_sub(block.tally.constructing);
        Ok(block)
    }

    fn run(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<Outcome, Failure> {
        Ok(Self::run(self, kind, scenario, &mut ())?)
    }

    fn tell(
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
