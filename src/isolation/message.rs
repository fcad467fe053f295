//! The messages between parent and child: one line of JSON each. Both are the same program.

use crate::annotated_trace::Style;
use crate::coverage::Coverage;
use crate::outcome::{Call, FaultSet, Limit, Outcome, Verdict};
use crate::scenario::{Draw, Profile};
use crate::subject::WrongAdapter;
use crate::tally::{Block, Tally};
use crate::timeline::Moment;
use ringstorm_core::QueueSize;
use ringstorm_model::{Invariant, Violation};
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};

/// A request of the parent. It contains the subject's name, and the scenario as bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Seeds { subject: String, draw: DrawMessage, first: u64, count: u64 },
    Run { subject: String, scenario: Vec<u8> },
    AnnotatedTrace { style: Style, subject: String, scenario: Vec<u8> },
    Record { subject: String, scenario: Vec<u8> },
}

/// A reply of the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The child has started.
    Ready,
    /// The lines of one step of the annotated trace. More replies follow.
    TraceLines(String),
    /// One step of the timeline. More replies follow.
    Recorded(Moment),
    /// The state around the failing step. The outcome follows.
    FailingState(String),
    /// The results of a block of seeds, up to the first seed that is a finding.
    Block { tally: Box<Tally>, findings: Vec<(u64, OutcomeMessage)> },
    /// The outcome of a scenario.
    Outcome(Box<OutcomeMessage>),
    /// There is no memory for the scenario.
    Refused(String),
    /// The subject's adapter is wrong.
    WrongAdapter(WrongAdapter),
}

/// A [`Draw`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DrawMessage {
    profile: Profile,
    steps: usize,
    queue_size: Option<u16>,
}

impl From<&Draw> for DrawMessage {
    fn from(draw: &Draw) -> Self {
        let Draw { profile, steps, queue_size } = *draw;
        Self { profile, steps, queue_size: queue_size.map(QueueSize::get) }
    }
}

impl DrawMessage {
    pub(super) fn draw(&self) -> Option<Draw> {
        let Self { profile, steps, queue_size } = *self;
        let queue_size = queue_size.map(|size| QueueSize::new(size.into())).transpose().ok()?;
        Some(Draw { profile, steps, queue_size })
    }
}

/// An [`Outcome`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutcomeMessage {
    how: VerdictMessage,
    step: usize,
    steps: u64,
    effective_steps: u64,
    skipped_steps: u64,
    trace_hash: u64,
    call: Call,
    last_fault: Option<u8>,
    faults: FaultSet,
    unwound: Option<Call>,
    coverage: Coverage,
}

/// A verdict that the process survived.
#[derive(Debug, Serialize, Deserialize)]
enum VerdictMessage {
    Pass,
    Violation { invariant: u8, detail: String },
    Panic(String),
    Stuck,
}

impl OutcomeMessage {
    /// `None` for an outcome that no child can report about itself.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        let how = match &outcome.verdict {
            Verdict::Pass => VerdictMessage::Pass,
            Verdict::Violation(Violation { invariant, detail }) => {
                VerdictMessage::Violation { invariant: *invariant as u8, detail: detail.clone() }
            }
            Verdict::Panic(message) => VerdictMessage::Panic(message.clone()),
            Verdict::Stuck(Limit::Accesses) => VerdictMessage::Stuck,
            Verdict::Stuck(Limit::Time) | Verdict::Died(_) => return None,
        };
        Some(Self {
            how,
            step: outcome.step,
            steps: outcome.steps,
            effective_steps: outcome.effective_steps,
            skipped_steps: outcome.skipped_steps,
            trace_hash: outcome.trace_hash,
            call: outcome.call,
            last_fault: outcome.last_fault.map(|fault| fault as u8),
            faults: outcome.faults,
            unwound: outcome.unwound,
            coverage: outcome.coverage,
        })
    }

    pub(super) fn outcome(self) -> Option<Outcome> {
        let verdict = match self.how {
            VerdictMessage::Pass => Verdict::Pass,
            VerdictMessage::Violation { invariant, detail } => {
                Verdict::Violation(Violation { invariant: Invariant::from_repr(invariant)?, detail })
            }
            VerdictMessage::Panic(message) => Verdict::Panic(message),
            VerdictMessage::Stuck => Verdict::Stuck(Limit::Accesses),
        };
        let last_fault = match self.last_fault {
            Some(fault) => Some(Fault::from_repr(fault)?),
            None => None,
        };
        Some(Outcome {
            verdict,
            step: self.step,
            steps: self.steps,
            effective_steps: self.effective_steps,
            skipped_steps: self.skipped_steps,
            trace_hash: self.trace_hash,
            call: self.call,
            last_fault,
            faults: self.faults,
            unwound: self.unwound,
            coverage: self.coverage,
        })
    }
}

impl Reply {
    /// The results of seeds; `None` for other replies.
    pub(super) fn into_block(self) -> Option<Block> {
        let Self::Block { tally, findings } = self else { return None };
        let findings = findings.into_iter().map(|(seed, ended)| Some((seed, ended.outcome()?)));
        Some(Block { tally: *tally, findings: findings.collect::<Option<_>>()?, slow: Vec::new() })
    }

    /// Whether it contains a finding.
    pub(super) fn is_finding(&self) -> bool {
        match self {
            Self::Block { findings, .. } => !findings.is_empty(),
            Self::Outcome(outcome) => !matches!(outcome.how, VerdictMessage::Pass),
            Self::Ready
            | Self::TraceLines(_)
            | Self::Recorded(_)
            | Self::FailingState(_)
            | Self::Refused(_)
            | Self::WrongAdapter(_) => false,
        }
    }

    pub(super) fn block(block: &Block) -> Option<Self> {
        let findings =
            block.findings.iter().map(|(seed, outcome)| Some((*seed, OutcomeMessage::of(outcome)?)));
        Some(Self::Block { tally: Box::new(block.tally.clone()), findings: findings.collect::<Option<_>>()? })
    }
}

/// Writes a message.
pub(super) fn send(mut to: impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Reads a message; `None` at the end of the stream.
pub(super) fn receive<T: for<'de> Deserialize<'de>>(mut from: impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&line)?))
}
