//! Counts operations, and how drivers answered faults.

use crate::scenario::Op;
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::VariantArray;

const OPERATIONS: usize = Op::VARIANTS.len();
const FAULTS: usize = Fault::VARIANTS.len();

/// By operation number: the position in the list of operations.
const PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut place = 0;
    while place < OPERATIONS {
        places[Op::VARIANTS[place] as usize] = place as u8;
        place += 1;
    }
    places
};

/// The steps of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Steps that were started.
    pub begun: u64,
    /// Steps that changed a ring, the descriptor table, a buffer or the driver's answer.
    pub effective: u64,
}

/// How a driver answers a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The call reported a device error, and the queue continues to work.
    Reported,
    /// The call returned the chain with a smaller length than the device wrote in the used element.
    Clamped,
    /// The call reported no error.
    Ignored,
    /// The call reported a device error, and the queue is broken until a reset.
    Broken,
}

/// How drivers answered the faults of one kind.
///
/// Each fault has at most one answer, which is the answer of one call:
/// - if the fault adds a used element: the take that consumed this element, or that refused the ring because of it;
/// - if the fault changes a value between two reads: the call that read the value, once it was changed;
/// - else: the first call that could encounter the fault, which is also when coverage counts it.
///
/// A call that reports a device error answers the used element that it consumed or refused, if a fault added this
/// element; else the faults that it encountered in the used ring; else all faults that it encountered. If the execution
/// ended with a finding and this was the last fault before it, the finding is the only answer. A fault has no answer if no
/// such call was made before the faults stopped, the queue was reset or the execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// How often the device committed the fault, with an effect.
    pub thrown: u64,
    /// [`Answer::Reported`].
    pub reported: u64,
    /// [`Answer::Clamped`].
    pub clamped: u64,
    /// [`Answer::Ignored`].
    pub ignored: u64,
    /// [`Answer::Broken`].
    pub broken: u64,
    /// The execution ended with a finding whose signature names the fault.
    pub violated: u64,
}

impl Answers {
    /// How many faults have an answer.
    pub const fn answered(&self) -> u64 {
        let Self { thrown: _, reported, clamped, ignored, broken, violated } = *self;
        let answered = reported.saturating_add(clamped).saturating_add(ignored);
        answered.saturating_add(broken).saturating_add(violated)
    }

    /// How many faults have no answer.
    pub const fn unanswered(&self) -> u64 {
        self.thrown.saturating_sub(self.answered())
    }

    const fn of(&mut self, answer: Answer) -> &mut u64 {
        match answer {
            Answer::Reported => &mut self.reported,
            Answer::Clamped => &mut self.clamped,
            Answer::Ignored => &mut self.ignored,
            Answer::Broken => &mut self.broken,
        }
    }

    const fn add(&mut self, other: &Self) {
        let Self { thrown, reported, clamped, ignored, broken, violated } = *other;
        self.thrown = self.thrown.saturating_add(thrown);
        self.reported = self.reported.saturating_add(reported);
        self.clamped = self.clamped.saturating_add(clamped);
        self.ignored = self.ignored.saturating_add(ignored);
        self.broken = self.broken.saturating_add(broken);
        self.violated = self.violated.saturating_add(violated);
    }
}

/// A step that was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun(u8);

/// Counts of operations, and of answers to faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CountsReport", into = "CountsReport")]
pub struct Counts {
    operations: [Steps; OPERATIONS],
    faults: [Answers; FAULTS],
}

impl Default for Counts {
    fn default() -> Self {
        Self { operations: [Steps::default(); OPERATIONS], faults: [Answers::default(); FAULTS] }
    }
}

impl Counts {
    /// The steps of an operation.
    pub const fn operation(&self, op: Op) -> &Steps {
        &self.operations[PLACES[op as usize] as usize]
    }

    /// Counts a step of this operation. Pass the result to [`took_effect`](Self::took_effect).
    pub(crate) const fn begin(&mut self, op: Op) -> Begun {
        let begun = Begun(PLACES[op as usize]);
        self.operations[begun.0 as usize].begun += 1;
        begun
    }

    /// Counts whether the step changed something.
    pub(crate) const fn took_effect(&mut self, begun: Begun, effective: bool) {
        self.operations[begun.0 as usize].effective += effective as u64;
    }

    /// The answers to a fault.
    pub const fn fault(&self, fault: Fault) -> &Answers {
        &self.faults[fault as usize]
    }

    /// The answers to a fault, to be changed.
    pub(crate) const fn fault_mut(&mut self, fault: Fault) -> &mut Answers {
        &mut self.faults[fault as usize]
    }

    /// Counts an answer to a fault.
    pub(crate) const fn answer(&mut self, fault: Fault, answer: Answer) {
        *self.fault_mut(fault).of(answer) += 1;
    }

    /// Counts a finding as the answer to a fault, in place of the answer `before`.
    pub(crate) const fn violate(&mut self, fault: Fault, before: Option<Answer>) {
        let answers = self.fault_mut(fault);
        if let Some(before) = before {
            *answers.of(before) -= 1;
        }
        answers.violated += 1;
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, Steps { begun, effective }) in self.operations.iter_mut().zip(&other.operations) {
            mine.begun = mine.begun.saturating_add(*begun);
            mine.effective = mine.effective.saturating_add(*effective);
        }
        for (mine, theirs) in self.faults.iter_mut().zip(&other.faults) {
            mine.add(theirs);
        }
    }
}

/// [`Counts`] by name, without those that are zero.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountsReport {
    /// By operation.
    pub operations: BTreeMap<String, Steps>,
    /// By fault.
    pub faults: BTreeMap<String, Answers>,
}

impl CountsReport {
    /// The highest count, for a check against the total number of steps.
    pub(crate) fn highest(&self) -> u64 {
        let operations = self.operations.values().map(|steps| steps.begun.max(steps.effective));
        let faults = self.faults.values().map(|answers| answers.thrown.max(answers.answered()));
        operations.chain(faults).max().unwrap_or_default()
    }
}

impl From<Counts> for CountsReport {
    fn from(counts: Counts) -> Self {
        let operations = Op::VARIANTS.iter().map(|op| (op.name().to_owned(), *counts.operation(*op)));
        let faults = Fault::VARIANTS.iter().map(|fault| (fault.name().to_owned(), *counts.fault(*fault)));
        Self {
            operations: operations.filter(|(_, steps)| *steps != Steps::default()).collect(),
            faults: faults.filter(|(_, answers)| *answers != Answers::default()).collect(),
        }
    }
}

impl TryFrom<CountsReport> for Counts {
    type Error = String;

    fn try_from(report: CountsReport) -> Result<Self, String> {
        let mut counts = Self::default();
        for (name, steps) in report.operations {
            let op = name.parse::<Op>().map_err(|_| format!("{name:?} is not an operation"))?;
            counts.operations[usize::from(PLACES[op as usize])] = steps;
        }
        for (name, answers) in report.faults {
            let fault = name.parse::<Fault>().map_err(|_| format!("{name:?} is not a fault"))?;
            *counts.fault_mut(fault) = answers;
        }
        Ok(counts)
    }
}
